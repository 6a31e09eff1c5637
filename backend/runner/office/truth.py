"""The truth values of Office's XML: `1`, `true` and `on`, or `0`, `false` and `off`."""


def is_true(value: str | None, *, default: bool) -> bool:
    """Return whether an attribute is true; `default` if it is absent."""
    return default if value is None else value.strip() not in {"0", "false", "off"}
