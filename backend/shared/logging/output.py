"""The output of a process's log lines: what every line contains, and the stream they go to."""

import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from structlog.typing import EventDict

from shared.logging.encoding import encode_line
from shared.logging.redaction import redact_field
from shared.logging.request_context import log_fields
from shared.logging.tracebacks import EXCEPTION_LEVELS, describe_exception, describe_stack


class LogOutput:
    """Renders events as JSON lines and writes them to a stream.

    A process has one, which `configure_logging` changes; tests can make their own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.configure(service="unknown", environment="unknown", stream=None)

    def configure(self, *, service: str, environment: str, stream: BinaryIO | None) -> None:
        """Set the names in every line and the stream; None means standard output."""
        self._service = service
        self._environment = environment
        self._stream = stream

    def logger(self, name: str | None = None) -> "LineLogger":
        """Return a logger for structlog to wrap (its `logger_factory`)."""
        return LineLogger(self, name)

    def render(self, logger: "LineLogger", level: str, event: EventDict) -> bytes:
        """Turn an event into a line (structlog's last processor). Never raises."""
        line = self._common_fields(redact_field("event", event.pop("event", None)), level)
        if logger.name:
            line["logger"] = logger.name
        try:
            if exc_info := event.pop("exc_info", None):
                line["exception"] = redact_field(
                    "exception", describe_exception(exc_info), levels=EXCEPTION_LEVELS
                )
            if stack := event.pop("stack_info", None):
                line["stack"] = redact_field("stack", describe_stack() if stack is True else stack)
            for key, value in event.items():
                # A caller's field never replaces one that every line has.
                line[f"{key}_" if key in line else key] = redact_field(key, value)
        except Exception as error:  # noqa: BLE001 - a value may raise anything when it is read
            line["unloggable"] = type(error).__name__
        return encode_line(line)

    def write_fields(self, event: str, fields: Mapping[str, Any]) -> None:
        """Write a line with its fields unchanged, whatever the log level."""
        self.write(encode_line(self._common_fields(event, "info") | dict(fields)))

    def write(self, line: bytes) -> None:
        """Write a finished line. A closed or full stream never fails a request."""
        try:
            # Looked up for each line: Lambda's runtime and tests replace standard output.
            stream = self._stream or sys.stdout.buffer
            with self._lock:
                stream.write(line)
                stream.flush()
        except (OSError, ValueError, AttributeError):  # full, closed, or None
            pass

    def _common_fields(self, event: object, level: str) -> dict[str, Any]:
        return {
            "event": event,
            "level": level,
            "service": self._service,
            "environment": self._environment,
            "timestamp": datetime.now(UTC),
            **log_fields(),
        }


class LineLogger:
    """Writes finished lines; structlog calls the method named after the level."""

    def __init__(self, output: LogOutput, name: str | None) -> None:
        self._output = output
        self.name = name

    def msg(self, line: bytes) -> None:
        self._output.write(line)

    log = debug = info = warning = error = critical = exception = fatal = msg
