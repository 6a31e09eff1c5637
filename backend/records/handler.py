"""Lambda entry of the hourly task that seals records."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from records.bucket import RecordsBucket
from records.sealing import Sealing
from records.settings import Settings
from shared.aws.clients import aws_client
from shared.logging import configure_logging, get_logger
from shared.settings import load_settings

_TASK = "seal-records"


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Seal the records that are not sealed yet; the event is `{"task": "seal-records"}`.

    Raises:
        Exception: Sealing failed. The next run seals the rest.
    """
    settings = _settings()
    log = get_logger("records")
    if not isinstance(event, dict) or event.get("task") != _TASK:
        log.warning("records_event_unknown", kind=type(event).__name__)
        return {"error": "invalid_request", "detail": f"Expects {{'task': '{_TASK}'}}."}
    client = partial(aws_client, "s3", region=settings.aws_region)
    sealing = Sealing(RecordsBucket(settings.records_bucket, client), now=lambda: datetime.now(UTC))
    try:
        result = sealing.seal()
    except Exception:
        log.exception("records_not_sealed")
        raise
    log.info("records_sealed", **result)
    return {"task": _TASK, **result}


@cache
def _settings() -> Settings:
    settings = load_settings(Settings)
    configure_logging(
        settings.log_level,
        service_name=settings.service_name,
        environment=settings.environment,
    )
    return settings
