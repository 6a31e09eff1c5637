"""Hides secrets, such as passwords and API keys, and personal numbers in log fields."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from typing import Final, TypeGuard

from shared.personal_data import mask

HIDDEN: Final = "***"

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
_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_LEVELS: Final = 6


def redact_field(key: str, value: object, *, levels: int = _MAX_LEVELS) -> object:
    """Return the value to log for a field: `***` if its key is sensitive, else a masked text.

    Objects below so many `levels` are replaced by the names of their types.
    """
    return HIDDEN if _is_sensitive(key) else _redact(value, levels)


def _is_sensitive(key: str) -> bool:
    # AWS writes SecretString, other APIs accessToken, HTTP headers x-api-key.
    name = _CAMEL_CASE_BOUNDARY.sub("_", key).lower().replace("-", "_")
    return name in _SENSITIVE or name.endswith(_SENSITIVE_ENDINGS)


def _redact(value: object, levels: int) -> object:
    if isinstance(value, str):
        return mask(value)
    if value is None or isinstance(value, (int, float)):
        return value
    if levels <= 0:
        return f"<{type(value).__name__}>"  # its repr could contain a secret
    if hasattr(value, "_asdict"):  # a named tuple: its field names show which values are sensitive
        value = value._asdict()
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if _is_sensitive(str(key)) else _redact(item, levels - 1)
            for key, item in value.items()
        }
    if isinstance(value, (Sequence, AbstractSet)) and not isinstance(value, (bytes, bytearray)):
        if _is_sensitive_pair(value):
            value = [_text(value[0]), HIDDEN]
        return [_redact(item, levels - 1) for item in value]
    names = _field_names(value)
    return _redact({name: getattr(value, name, None) for name in names}, levels) if names else value


def _is_sensitive_pair(value: object) -> TypeGuard[Sequence[object]]:
    """Return whether a value is a name and its secret, as HTTP libraries list headers."""
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and isinstance(value[0], (str, bytes))
        and _is_sensitive(_text(value[0]))
    )


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _field_names(value: object) -> list[str]:
    """Return the field names of a dataclass or pydantic object, whose repr would show secrets."""
    if isinstance(value, type):
        return []
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    model = getattr(type(value), "model_fields", None)
    return list(model) if isinstance(model, Mapping) else []
