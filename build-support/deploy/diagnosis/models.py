"""Checks of the models: one real call each, because Bedrock tells access in no other way."""

import json
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from deploy.diagnosis.findings import Examined, Finding, blocker, warning

# Enough for a model that thinks before it answers; an answer that is cut off also proves access.
_MAX_TOKENS: Final = 200

_RUNBOOK: Final = "docs/runbook.md, Model access"


def models(examined: Examined) -> Iterator[Finding]:
    """Create one embedding, and ask the chat model one question."""
    bedrock = examined.client("bedrock-runtime")
    embeddings, chat = examined.variables["bedrock_model_id"], examined.variables["chat_model_id"]
    try:
        bedrock.invoke_model(modelId=embeddings, body=json.dumps({"inputText": "Hello"}))
    except ClientError as error:
        yield _finding("bedrock_model_id", embeddings, error.response["Error"])
    try:
        bedrock.converse(
            modelId=chat,
            messages=[{"role": "user", "content": [{"text": "Hello"}]}],
            inferenceConfig={"maxTokens": _MAX_TOKENS},
        )
    except ClientError as error:
        yield _finding("chat_model_id", chat, error.response["Error"])


def _finding(variable: str, model: str, error: Any) -> Finding:
    code, message = error["Code"], error["Message"]
    problem = f"the model {model} ({variable}) does not answer: {code}: {message}"
    if "use case" in message:
        return blocker(problem, f"Submit Anthropic's form once for the account ({_RUNBOOK}, 1)")
    if code == "AccessDeniedException":
        return blocker(
            problem,
            "Allow bedrock:InvokeModel on it, also in a service control policy. A third-party "
            f"model also needs AWS Marketplace permissions at the first call ({_RUNBOOK})",
        )
    if code in {"ValidationException", "ResourceNotFoundException"}:
        return blocker(
            problem,
            f"Set {variable} to a model or an inference profile of this region: "
            "`aws bedrock list-inference-profiles`, `aws bedrock list-foundation-models`",
        )
    return warning(problem, "Run this program again; if it is throttled, ask for a higher quota")
