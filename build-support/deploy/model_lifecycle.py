"""Whether Bedrock still offers the models of an environment, and for how long."""

import datetime
from collections.abc import Mapping
from typing import Any, Final

from deploy.aws import client

NOTICE_DAYS: Final = 90
"""A model whose end of life is within this many days is reported."""


def findings(models: Mapping[str, str]) -> list[str]:
    """Return a sentence for each model that is legacy, near its end of life, or unreadable.

    Args:
        models: Terraform's output `foundation_models`: maps a use, such as `chat`, to a model id.
    """
    bedrock = client("bedrock")
    now = datetime.datetime.now(datetime.UTC)
    found = []
    for use, model_id in sorted(models.items()):
        name = f"the model for {use}, {model_id},"
        try:
            details = bedrock.get_foundation_model(modelIdentifier=model_id)["modelDetails"]
        except bedrock.exceptions.ClientError as error:
            found.append(f"{name} cannot be read: {error}")
            continue
        if problem := _problem(details.get("modelLifecycle", {}), now):
            found.append(f"{name} {problem}: choose another ({_VARIABLES.get(use, 'Terraform')})")
    return found


_VARIABLES: Final = {"chat": "chat_model_id", "embeddings": "bedrock_model_id"}


def _problem(lifecycle: Mapping[str, Any], now: datetime.datetime) -> str | None:
    end = lifecycle.get("endOfLifeTime")
    if end is not None and end - now < datetime.timedelta(days=NOTICE_DAYS):
        return f"{'ended' if end <= now else 'ends'} on {end:%Y-%m-%d}"
    if lifecycle.get("status") == "LEGACY":
        return "is legacy" + (f" and ends on {end:%Y-%m-%d}" if end is not None else "")
    return None
