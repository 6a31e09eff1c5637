"""The fields of a document and their limits; `api`, `runner` and `s3vector` use these types.

Every store accepts documents within these limits:

* id: 128 characters that are safe in a URL path and in an S3 key. S3 Vectors allows keys of 1,024
  characters; the rest is for the suffix of each passage.
* text: 50,000 characters, the most that Titan Text Embeddings v2 accepts in one call. Longer texts
  are uploaded, and the runner splits them.
* title: 300 characters.
* metadata: 40 keys and 2,000 bytes. S3 Vectors allows 50 keys and 2 KB of filterable metadata for a
  vector; the rest is for the keys that the runner and the store add.

A blank text or title is refused: it could not be embedded or shown. Personal numbers in texts,
titles and metadata are masked, so that neither an index nor a model gets them.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    StringConstraints,
)

from shared.personal_data import mask

MAX_ID_CHARACTERS: Final = 128
MAX_TEXT_CHARACTERS: Final = 50_000
MAX_TITLE_CHARACTERS: Final = 300
MAX_METADATA_KEYS: Final = 40
MAX_METADATA_KEY_CHARACTERS: Final = 64
MAX_METADATA_BYTES: Final = 2000
MAX_METADATA_LIST_VALUES: Final = 50

MAX_SAFE_INTEGER: Final = 2**53
"""Both stores keep numbers as doubles, which represent every integer up to this one."""

ContentType = Literal[
    "text/plain",
    "text/markdown",
    "text/html",
    "application/xhtml+xml",
    "application/pdf",
    "text/csv",
    "text/tab-separated-values",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
]
"""The media types of documents that the runner reads."""

type Scalar = str | int | float | bool
type MetadataValue = Scalar | list[str]
type Metadata = Mapping[str, MetadataValue]

# A leading underscore is reserved for the service's own keys, "$" for operators of filters.
_METADATA_KEY: Final = re.compile(rf"[A-Za-z][A-Za-z0-9_.-]{{0,{MAX_METADATA_KEY_CHARACTERS - 1}}}")


def is_unicode(text: str) -> bool:
    """Return False for text with a lone surrogate, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_metadata(metadata: object) -> Metadata:
    """Return valid metadata unchanged.

    Raises:
        ValueError: It is invalid; the message names the key and the rule.
    """
    if not isinstance(metadata, Mapping):
        raise ValueError("expected an object of names and values")  # noqa: TRY004
    if len(metadata) > MAX_METADATA_KEYS:
        raise ValueError(f"at most {MAX_METADATA_KEYS} keys are allowed, got {len(metadata)}")
    for key, value in metadata.items():
        if not isinstance(key, str) or not _METADATA_KEY.fullmatch(key):
            raise ValueError(
                f"the key {ascii(key)[:70]} is not allowed; a key is a letter and up to "
                f"{MAX_METADATA_KEY_CHARACTERS - 1} letters, digits, '_', '-' or '.'"
            )
        _check_value(key, value)
    size = len(json.dumps(dict(metadata), ensure_ascii=False).encode())
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"at most {MAX_METADATA_BYTES} bytes as JSON are allowed, got {size}")
    return metadata


def require_distinct_ids[D: "DocumentFields"](documents: Sequence[D]) -> Sequence[D]:
    """Return the documents unchanged; `ValueError` names an id that two of them have."""
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise ValueError(f"the id {document.id!r} occurs twice")
        seen.add(document.id)
    return documents


def require_text(value: str) -> str:
    """Return the text unchanged; `ValueError` if it has no visible character."""
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _check_value(key: str, value: object) -> None:
    if isinstance(value, list):
        if not 0 < len(value) <= MAX_METADATA_LIST_VALUES:
            raise ValueError(
                f"{key}: a list has 1 to {MAX_METADATA_LIST_VALUES} strings; omit an empty list"
            )
        if not all(isinstance(one, str) for one in value):
            raise ValueError(f"{key}: a list may contain strings only")
    elif isinstance(value, int | float):
        if abs(value) > MAX_SAFE_INTEGER if isinstance(value, int) else not math.isfinite(value):
            raise ValueError(f"{key}: a number must be finite, and an integer within ±2^53")
    elif not isinstance(value, str):
        raise ValueError(f"{key}: expected a string, a number, true, false or a list of strings")  # noqa: TRY004
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and not is_unicode(text):
            raise ValueError(f"{key}: is not valid Unicode (a lone surrogate)")


def _require_encodable(value: JsonValue, path: str = "") -> JsonValue:
    """Return a parsed JSON value unchanged if it can be written as JSON again.

    Python's parser accepts NaN, numbers that overflow to infinity, and lone surrogates.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path[1:] or 'it'} must be a finite number")
    if isinstance(value, str) and not is_unicode(value):
        raise ValueError(f"{path[1:] or 'it'} is not valid Unicode (a lone surrogate)")
    if isinstance(value, list):
        for number, one in enumerate(value):
            _require_encodable(one, f"{path}.{number}")
    if isinstance(value, dict):
        for key, one in value.items():
            here = f"{path}.{ascii(key[:40])[1:-1]}"
            _require_encodable(key, here)
            _require_encodable(one, here)
    return value


def _require_unicode(value: Any) -> Any:
    if isinstance(value, str) and not is_unicode(value):
        raise ValueError("is not valid Unicode (a lone surrogate)")
    return value


def _refuse_dots(value: str) -> str:
    if ".." in value:
        raise ValueError("must not contain '..'")
    return value


def _metadata(value: Any) -> Metadata:
    if isinstance(value, Mapping):
        # Before the check, because a masked value may be longer.
        value = {key: _masked(one) for key, one in value.items()}
    return check_metadata({} if value is None else value)


def _masked(value: object) -> object:
    if isinstance(value, list):
        return [mask(one) if isinstance(one, str) else one for one in value]
    return mask(value) if isinstance(value, str) else value


UnicodeText = Annotated[str, Strict(), BeforeValidator(_require_unicode)]
DocumentId = Annotated[
    UnicodeText,
    StringConstraints(pattern=rf"^[A-Za-z0-9][A-Za-z0-9._:-]{{0,{MAX_ID_CHARACTERS - 1}}}$"),
    AfterValidator(_refuse_dots),
]
DocumentText = Annotated[
    UnicodeText,
    StringConstraints(min_length=1, max_length=MAX_TEXT_CHARACTERS),
    AfterValidator(require_text),
    AfterValidator(mask),
]
DocumentTitle = Annotated[
    UnicodeText,
    StringConstraints(min_length=1, max_length=MAX_TITLE_CHARACTERS),
    AfterValidator(require_text),
    AfterValidator(mask),
]
DocumentMetadata = Annotated[
    # Not `dict[str, MetadataValue]`: pydantic would add a schema to OpenAPI for each alias.
    dict[str, str | int | float | bool | list[str]],
    BeforeValidator(_metadata),
]


PassageCursor = Annotated[
    str | None,
    StringConstraints(pattern=r"^[0-9]{1,6}$"),
    Field(description="The cursor of the passages before."),
]


MetadataFilter = Annotated[
    dict[str, JsonValue],
    AfterValidator(_require_encodable),
    Field(description="A metadata filter in the syntax of S3 Vectors."),
]


class DocumentFields(BaseModel):
    """The fields of every document except its content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[DocumentId, Field(examples=["emergency-fund"])]
    title: Annotated[DocumentTitle | None, Field(examples=["Emergency funds"])] = None
    metadata: Annotated[
        DocumentMetadata,
        Field(
            description="What queries can filter by: at most "
            f"{MAX_METADATA_KEYS} keys and {MAX_METADATA_BYTES:,} bytes as JSON.",
            examples=[{"topic": "savings", "year": 2026, "tags": ["basics"]}],
        ),
    ] = {}


class DocumentBody(DocumentFields):
    """A document with its text."""

    text: Annotated[DocumentText, Field(examples=["Keep three to six months of expenses at hand."])]
