"""JSON encoding of log lines: values that JSON cannot represent become their repr."""

from datetime import UTC, datetime
from typing import Any, Final

import orjson

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def timestamp() -> str:
    """Return the current time in ISO 8601, UTC, with milliseconds and a trailing `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def encode_line(line: dict[str, Any]) -> bytes:
    """Return a line as JSON with a newline. Never raises."""
    try:
        return orjson.dumps(line, default=safe_repr, option=_OPTIONS)
    except (TypeError, ValueError, RecursionError):
        # A lone surrogate or an integer beyond 64 bits: replace only the values that fail.
        encodable = {_replace_surrogates(key): _encodable(value) for key, value in line.items()}
        return orjson.dumps(encodable, default=safe_repr, option=_OPTIONS)


def safe_repr(value: object) -> str:
    """Return the repr of a value, or a placeholder if `__repr__` raises."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a custom __repr__ may raise anything
        return f"<{type(value).__name__}: no repr, {type(error).__name__}>"


def _encodable(value: object) -> object:
    try:
        orjson.dumps(value, default=safe_repr)
    except (TypeError, ValueError, RecursionError):
        return _replace_surrogates(value if isinstance(value, str) else safe_repr(value))
    return value


def _replace_surrogates(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
