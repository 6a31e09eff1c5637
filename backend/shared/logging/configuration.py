"""Configures structlog and the standard library's loggers of a process to write JSON lines."""

import logging as stdlib
import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, cast

import structlog
from structlog.typing import FilteringBoundLogger

from shared.logging.encoding import safe_repr
from shared.logging.output import LogOutput

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# These libraries log every request, or every byte of one, at DEBUG and INFO.
_QUIET: Final = (
    "botocore", "boto3", "urllib3", "httpx", "httpcore", "mangum", "asyncio", "uvicorn.access",
)  # fmt: skip
# uvicorn's command line gives these loggers its own handlers, which do not write JSON.
_UVICORN: Final = ("uvicorn", "uvicorn.error", "uvicorn.access")

# What every record has, and uvicorn's message with colours; the rest is the caller's `extra`.
_RECORD_FIELDS: Final = frozenset(vars(stdlib.makeLogRecord({}))) | {
    "message", "taskName", "color_message",
}  # fmt: skip

_output = LogOutput()


def configure_logging(
    log_level: str = "INFO",
    *,
    service_name: str | None = None,
    environment: str | None = None,
    stream: BinaryIO | None = None,
) -> None:
    """Write every log line of this process, structlog's and stdlib's, as one JSON object.

    Args:
        log_level: DEBUG, INFO, WARNING, ERROR or CRITICAL; lines below it cost almost nothing.
        service_name: The `service` of each line; by default the variable `SERVICE_NAME`.
        environment: The `environment` of each line; by default the variable `ENVIRONMENT`.
        stream: Where lines go; by default standard output.

    Raises:
        ValueError: The level is none of the five.
    """
    level_name = log_level.upper()
    if level_name not in _LEVELS:
        raise ValueError(f"log_level: got {log_level!r}; expects one of {', '.join(_LEVELS)}")
    level = stdlib.getLevelNamesMapping()[level_name]
    _output.configure(
        service=service_name or os.environ.get("SERVICE_NAME", "unknown"),
        environment=environment or os.environ.get("ENVIRONMENT", "unknown"),
        stream=stream,
    )
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _output.render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_output.logger,
        # A cached logger would not see a later configuration.
        cache_logger_on_first_use=False,
    )
    root = stdlib.getLogger()
    root.handlers[:] = [_StructlogHandler()]
    root.setLevel(level)
    for name in _UVICORN:
        stdlib.getLogger(name).handlers.clear()
        stdlib.getLogger(name).propagate = True
    for name in _QUIET:
        stdlib.getLogger(name).setLevel(max(level, stdlib.WARNING))


def get_logger(name: str | None = None) -> FilteringBoundLogger:
    """Return a logger; `log.info("event", key=value)` writes one line."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def write(event: str, fields: Mapping[str, Any]) -> None:
    """Write a line with its fields unchanged, whatever the log level.

    For lines that a program parses, such as CloudWatch metrics.
    """
    _output.write_fields(event, fields)


class _StructlogHandler(stdlib.Handler):
    """Writes the records of stdlib loggers (uvicorn, botocore) through structlog."""

    def emit(self, record: stdlib.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - wrong %-format, or an argument whose __str__ raises
            message = safe_repr(record.msg)
        # structlog has five levels; a library may use a number between two of them.
        level = max(stdlib.DEBUG, min(record.levelno // 10 * 10, stdlib.CRITICAL))
        extra = {
            # structlog has parameters of these names.
            f"{name}_" if name in {"event", "level", "self"} else name: value
            for name, value in vars(record).items()
            if name not in _RECORD_FIELDS
        }
        get_logger(record.name).log(
            level, message, **extra, exc_info=record.exc_info, stack_info=record.stack_info
        )
