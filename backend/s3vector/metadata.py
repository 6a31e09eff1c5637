"""What a document's metadata may be: what Amazon S3 Vectors can filter by, in either store."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from s3vector.store import Metadata

MAX_KEYS: Final = 40
MAX_BYTES: Final = 2000
"""Of all keys and values as JSON: the managed engine takes 2 KB that can be filtered by."""

MAX_LIST_VALUES: Final = 50

# No leading underscore: those keys are the service's own. No "$": those are operators.
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def check_metadata(metadata: object) -> Metadata:
    """Return the metadata as it is; `ValueError` says which key is wrong and why."""
    if not isinstance(metadata, Mapping):
        raise ValueError("expected an object of names and values")  # noqa: TRY004
    if len(metadata) > MAX_KEYS:
        raise ValueError(f"at most {MAX_KEYS} keys are allowed, got {len(metadata)}")
    for key, value in metadata.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(
                f"the key {ascii(key)[:70]} is not allowed; a key is a letter and up to 63 "
                "letters, digits, '_', '-' or '.'"
            )
        _check_value(key, value)
    size = len(json.dumps(dict(metadata), ensure_ascii=False).encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise ValueError(f"at most {MAX_BYTES} bytes as JSON are allowed, got {size}")
    return metadata


def _check_value(key: str, value: Any) -> None:
    if isinstance(value, list):
        if not 0 < len(value) <= MAX_LIST_VALUES:
            raise ValueError(
                f"{key}: a list has 1 to {MAX_LIST_VALUES} strings; leave an empty one out"
            )
        if not all(isinstance(one, str) for one in value):
            raise ValueError(f"{key}: a list holds strings only")
    elif isinstance(value, int | float):
        # Numbers are doubles in both engines.
        if abs(value) > 2**53 if isinstance(value, int) else not math.isfinite(value):
            raise ValueError(f"{key}: a number is finite, and an integer within ±2^53")
    elif not isinstance(value, str):
        raise ValueError(f"{key}: expected a string, a number, true, false or a list of strings")  # noqa: TRY004
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and not _is_unicode(text):
            raise ValueError(f"{key}: is not valid Unicode (a lone surrogate)")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
