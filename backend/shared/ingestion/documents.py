"""The documents of an ingestion, and where they come from."""

import base64
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    model_validator,
)

from shared.documents import (
    ContentType,
    DocumentFields,
    DocumentId,
    DocumentText,
    DocumentTitle,
    UnicodeText,
)
from shared.ingestion.parts import is_later_part
from shared.ingestion.uploads import UploadId

MAX_DATA_CHARACTERS: Final = 5_600_000
"""The longest base64: 4 MiB of document, which fits into one request through the gateway."""

MAX_INGESTED_DOCUMENTS: Final = 1_000
"""The most documents in one request for an ingestion."""

UPLOADS: Final = "uploads/"
"""Key prefix of the operator's uploads; they are in the bucket that also stores the jobs."""


def refuse_part_id(value: str) -> str:
    """Return an id unchanged; `ValueError` if it is one of a later part of a document."""
    if is_later_part(value):
        raise ValueError(
            f"the id {value!r} must not end in ':p' and a number, like the parts of long documents"
        )
    return value


def _require_upload_prefix(value: str) -> str:
    if not value.startswith(UPLOADS):
        raise ValueError(f"must start with '{UPLOADS}'")
    if any(part in {".", ".."} for part in value.split("/")) or not value.isprintable():
        raise ValueError("must be a plain path without '.', '..' or control characters")
    return value


def _require_base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        raise ValueError("must be base64") from None
    return value


JobCursor = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-z][0-9a-z-]{7,63}$"),
    Field(description="The cursor of the page before."),
]
UploadPrefix = Annotated[UnicodeText, Field(max_length=512), AfterValidator(_require_upload_prefix)]
Base64 = Annotated[
    str,
    Field(min_length=4, max_length=MAX_DATA_CHARACTERS),
    AfterValidator(_require_base64),
]


class IngestedDocument(DocumentFields):
    """A document to ingest: a text as `text`, small files as `data`, large ones as `upload`."""

    id: Annotated[DocumentId, AfterValidator(refuse_part_id), Field(examples=["emergency-fund"])]
    text: Annotated[
        DocumentText | None,
        Field(
            description="Put longer texts into `data`, or upload them.",
            examples=["Keep three to six months of expenses at hand."],
        ),
    ] = None
    data: Annotated[Base64 | None, Field(description="Content in base64.")] = None
    upload: UploadId | None = None
    content_type: ContentType = "text/plain"
    title: Annotated[
        DocumentTitle | None, Field(description="By default the title in the document.")
    ] = None

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if sum(one is not None for one in (self.text, self.data, self.upload)) != 1:
            raise ValueError("give one of text, data and upload")
        is_text = self.content_type.startswith("text/") or self.content_type.endswith("+xml")
        if self.text is not None and not is_text:
            raise ValueError(f"{self.content_type} goes into data, in base64, or into an upload")
        return self


def one_source(documents: Any, prefix: str | None) -> None:
    """Raise `ValueError` unless exactly one source of documents is given."""
    if (documents is None) == (prefix is None):
        raise ValueError("give either documents or prefix")
