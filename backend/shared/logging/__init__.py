"""Structured logs: one JSON object a line on standard output."""

import logging as stdlib
import os
import re
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from shared.logging import request_context

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
_HIDDEN: Final = "***"
_SENSITIVE: Final = frozenset(
    {
        "api_key", "apikey", "x_api_key", "authorization", "proxy_authorization", "cookie",
        "set_cookie", "password", "passwd", "secret", "secret_string", "secret_access_key",
        "session_token", "token", "x_origin_verify", "private_key", "secret_key",
    }
)  # fmt: skip
_SENSITIVE_ENDINGS: Final = (
    "_api_key", "_password", "_secret", "_token", "_access_key", "_private_key", "_secret_key",
)  # fmt: skip
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_DEPTH: Final = 6
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
# They report every request, or every byte of one, at levels that a service's own log is set to.
_QUIET: Final = (
    "botocore", "boto3", "urllib3", "httpx", "httpcore", "mangum", "asyncio", "uvicorn.access",
)  # fmt: skip
# uvicorn's command line gives them handlers of their own, in a shape of their own.
_BRIDGED: Final = ("uvicorn", "uvicorn.error", "uvicorn.access")

# structlog's own table of what was ever bound. To merge and to clear, structlog looks at each
# variable of the context, whoever's, though nobody may have bound anything.
_bound: Mapping[str, object] | None = getattr(structlog.contextvars, "_CONTEXT_VARS", None)

_write_lock = threading.Lock()
# Loggers are cached, which halves the cost of a line; a new configuration reaches them here.
_loggers: weakref.WeakSet[Any] = weakref.WeakSet()


def configure_logging(
    log_level: str = "INFO",
    *,
    service_name: str | None = None,
    environment: str | None = None,
    stream: BinaryIO | None = None,
) -> None:
    """Send every log line of this process, structlog's and stdlib's, out as one JSON object.

    Args:
        log_level: DEBUG, INFO, WARNING, ERROR or CRITICAL; lower levels cost almost nothing.
        service_name: The `service` of each line; `SERVICE_NAME` where it is not given.
        environment: The `environment` of each line; `ENVIRONMENT` where it is not given.
        stream: Where lines go; standard output where it is not given.

    Raises:
        ValueError: The level is none of the five.
    """
    level_name = log_level.upper()
    if level_name not in _LEVELS:
        raise ValueError(f"log_level: got {log_level!r}; expects one of {', '.join(_LEVELS)}")
    level: int = getattr(stdlib, level_name)
    global _out, _render  # noqa: PLW0603 - standard output is one a process too
    _out = _LineLogger(stream)
    _render = _Renderer(
        service_name or os.environ.get("SERVICE_NAME", "unknown"),
        environment or os.environ.get("ENVIRONMENT", "unknown"),
    )
    structlog.configure(
        processors=[_render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda name=None: _LineLogger(stream, name),
        cache_logger_on_first_use=True,
    )
    for logger in list(_loggers):
        vars(logger).pop("bind", None)  # what structlog puts there to cache
    root = stdlib.getLogger()
    root.handlers[:] = [_Bridge()]
    root.setLevel(level)
    for name in _BRIDGED:
        stdlib.getLogger(name).handlers.clear()
        stdlib.getLogger(name).propagate = True
    for name in _QUIET:
        stdlib.getLogger(name).setLevel(max(level, stdlib.WARNING))


def get_logger(name: str | None = None) -> FilteringBoundLogger:
    """Return a logger; `log.info("event", key=value)` writes one line."""
    # Not an initial value named `logger`: structlog's own wrap_logger has a parameter of that name.
    logger = structlog.get_logger(name)
    _loggers.add(logger)
    return cast("FilteringBoundLogger", logger)


def remember_span(around: object, trace_id: str, span_id: str) -> None:
    """Say beforehand what ids the lines have that are written in a context of OpenTelemetry.

    Args:
        around: The context.
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
    """
    global _last_span  # noqa: PLW0603
    _last_span = (around, trace_id, span_id)


def clear_bound() -> None:
    """Forget what `structlog.contextvars.bind_contextvars` has bound."""
    if _bound != {}:
        structlog.contextvars.clear_contextvars()


def write(event: str, fields: Mapping[str, Any]) -> None:
    """Write a line whatever the level, its fields as they are: for what something else reads."""
    _out.msg(_dump(_render.head(event, "info") | dict(fields)))


class _LineLogger:
    """Writes finished lines; a closed or full standard output never fails a request."""

    def __init__(self, stream: BinaryIO | None, name: str | None = None) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: bytes) -> None:
        try:
            # Looked up at each line: the runtime and tests replace standard output.
            stream = self._stream or sys.stdout.buffer
            with _write_lock:
                stream.write(line)
                stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, full, or not there at all
            pass

    log = debug = info = warning = error = critical = exception = fatal = msg


class _Renderer:
    """The last processor: adds what every line has, hides secrets, and makes the bytes."""

    def __init__(self, service: str, environment: str) -> None:
        self._service = service
        self._environment = environment

    def __call__(self, logger: "_LineLogger", level: str, event: EventDict) -> bytes:
        if _bound != {}:
            structlog.contextvars.merge_contextvars(logger, level, event)
        line = self.head(event.pop("event", None), level)
        if logger.name:
            line["logger"] = logger.name
        try:
            if exc_info := event.pop("exc_info", None):
                line["exception"] = _exception(exc_info)
            for key, value in event.items():
                if key in line:  # a field of the caller's never replaces one that every line has
                    key += "_"  # noqa: PLW2901
                if _is_sensitive(key):
                    line[key] = _HIDDEN
                else:
                    # Most values are plain, and a call for each is a fifth of a line's cost.
                    line[key] = value if type(value) in _PLAIN else _clean(value, 0)
        except Exception as error:  # noqa: BLE001 - a value of any class; the line must come out
            line["unloggable"] = type(error).__name__
        return _dump(line)

    def head(self, event: object, level: object) -> dict[str, Any]:
        line = {
            "event": event,
            "level": level,
            "service": self._service,
            "environment": self._environment,
            "timestamp": datetime.now(UTC),
        }
        _add_ids(line)
        return line


_out = _LineLogger(None)
_render = _Renderer("unknown", "unknown")


class _Bridge(stdlib.Handler):
    """Gives the lines of stdlib loggers (uvicorn, botocore) the same shape."""

    def emit(self, record: stdlib.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong %-format, or an argument that cannot be printed
            message = _text(record.msg)
        # structlog knows the five levels only; a library may have its own in between.
        level = max(stdlib.DEBUG, min(record.levelno // 10 * 10, stdlib.CRITICAL))
        get_logger(record.name).log(level, message, exc_info=record.exc_info)


def timestamp() -> str:
    """Return the present moment in ISO 8601, UTC, milliseconds, ending in `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


# OpenTelemetry's own, once something makes spans.
_get_current: Callable[[], object] | None = None
# The context of OpenTelemetry that the last line was written in, and its ids: a request's lines
# are mostly of one span.
_last_span: tuple[object, str | None, str | None] = (None, None, None)


def _add_ids(line: dict[str, Any]) -> None:
    request = request_context.current()
    trace_id = None
    if request is not None:
        line["request_id"] = request.request_id
        trace_id = request.trace_id
        if request.cold_start is not None:
            line["cold_start"] = request.cold_start
    global _get_current  # noqa: PLW0603
    # Looked up rather than imported; and where nothing makes spans there is none to look for.
    if _get_current is None and (
        "shared.telemetry.span_recorder" in sys.modules or "opentelemetry.sdk.trace" in sys.modules
    ):
        _get_current = sys.modules["opentelemetry.context"].get_current
    if _get_current is not None:
        around = _get_current()
        known, traced_id, span_id = _last_span
        if around is not known:
            traced_id, span_id = _span_ids(around)
        if span_id:
            trace_id, line["span_id"] = traced_id, span_id
    if trace_id:
        line["trace_id"] = trace_id
        line["xray_trace_id"] = request_context.xray_trace_id(trace_id)


def _span_ids(around: Any) -> tuple[str | None, str | None]:
    """Return the ids of the trace and of the span that a context of OpenTelemetry is in."""
    global _last_span  # noqa: PLW0603
    span = sys.modules["opentelemetry.trace"].get_current_span(around)
    trace_id, span_id, *_, is_valid = span.get_span_context()
    ids = (f"{trace_id:032x}", f"{span_id:016x}") if is_valid else (None, None)
    _last_span = (around, *ids)
    return ids


@lru_cache(maxsize=1024)
def _is_sensitive(key: str) -> bool:
    # AWS's answers spell it SecretString, a JSON from elsewhere accessToken.
    name = _HUMP.sub("_", key).lower().replace("-", "_")
    return name in _SENSITIVE or name.endswith(_SENSITIVE_ENDINGS)


def _clean(value: object, depth: int) -> object:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if depth >= _MAX_DEPTH:
        return f"<{type(value).__name__}>"  # not its repr, which may hold a secret
    if hasattr(value, "_asdict"):  # a named tuple, whose fields have names to go by
        value = value._asdict()
    if isinstance(value, Mapping):
        return {
            str(key): _HIDDEN if _is_sensitive(str(key)) else _clean(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (Sequence, AbstractSet)) and not isinstance(value, (bytes, bytearray)):
        return [_clean(item, depth + 1) for item in value]
    names = _field_names(value)
    return _clean({name: getattr(value, name, None) for name in names}, depth) if names else value


def _field_names(value: object) -> list[str]:
    """Return the fields of a dataclass or pydantic object, whose reprs would show secrets."""
    if isinstance(value, type):
        return []
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    model = getattr(type(value), "model_fields", None)
    return list(model) if isinstance(model, Mapping) else []


def _text(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - somebody's __repr__ may raise anything
        return f"<{type(value).__name__}: no repr, {type(error).__name__}>"


def _dump(line: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(line, default=_text, option=_OPTIONS)
    except (TypeError, ValueError, RecursionError):
        # A lone surrogate or an integer beyond 64 bits: only what holds it is degraded.
        safe = {_encodable(key): _dumpable(value) for key, value in line.items()}
        return orjson.dumps(safe, default=_text, option=_OPTIONS)


def _dumpable(value: object) -> object:
    try:
        orjson.dumps(value, default=_text)
    except (TypeError, ValueError, RecursionError):
        return _encodable(value if isinstance(value, str) else _text(value))
    return value


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _exception(exc_info: object) -> object:
    if exc_info is True:
        exc_info = sys.exc_info()
    elif isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if not isinstance(exc_info, tuple) or exc_info[0] is None:
        return None
    return [_describe(error) for error in _chain(exc_info[1])]


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain and len(chain) < 5:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _describe(error: BaseException) -> dict[str, object]:
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return {
        "type": type(error).__qualname__,
        "message": _message(error),
        "frames": frames[-20:],
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception as other:  # noqa: BLE001 - somebody's __str__
        return f"<no message, {type(other).__name__}>"
