"""Bodies of requests and answers."""

import base64
import json
import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    model_validator,
)

from runner import jobs as domain
from runner.documents import UPLOADS, InlineItem
from runner.extraction import Kind

MAX_DOCUMENTS = 1000
MAX_TEXT_CHARACTERS = 50_000
"""What the store takes of one document."""

MAX_DATA_CHARACTERS = 5_600_000
"""Of base64: 4 MiB of document, which fits into a request through the gateway."""

_MAX_METADATA_KEYS = 40
_MAX_METADATA_BYTES = 2000
_METADATA_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_PART_ID = re.compile(r":p\d+$")
_KINDS: dict[str, Kind] = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/pdf": "pdf",
}


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("is not valid Unicode (a lone surrogate)") from None
    return value


def _with_substance(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _document_id(value: str) -> str:
    if ".." in value:
        raise ValueError("must not contain '..'")
    if _PART_ID.search(value):
        raise ValueError("must not end in ':p' and a number; parts of long documents do")
    return value


def _prefix(value: str) -> str:
    if not value.startswith(UPLOADS):
        raise ValueError(f"must start with '{UPLOADS}'")
    if any(part in {".", ".."} for part in value.split("/")) or not value.isprintable():
        raise ValueError("must be a plain path without '.', '..' or control characters")
    return value


def _base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        raise ValueError("must be base64") from None
    return value


def _metadata(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if len(value) > _MAX_METADATA_KEYS:
        raise ValueError(f"at most {_MAX_METADATA_KEYS} keys are allowed, got {len(value)}")
    for key, one in value.items():
        if not _METADATA_KEY.fullmatch(key):
            raise ValueError(
                f"the key {ascii(key)[:70]} is not allowed; a key is a letter and up to 63 "
                "letters, digits, '_', '-' or '.'"
            )
        if isinstance(one, int | float) and not (math.isfinite(one) and abs(one) <= 2**53):
            raise ValueError(f"{key}: a number is finite and within ±2^53")
    size = len(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
    if size > _MAX_METADATA_BYTES:
        raise ValueError(f"at most {_MAX_METADATA_BYTES} bytes as JSON are allowed, got {size}")
    return value


def _iso(moment: AwareDatetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    AwareDatetime, PlainSerializer(_iso, return_type=str), Field(description="ISO 8601, UTC.")
]
DocumentId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"),
    AfterValidator(_document_id),
]
UnicodeText = Annotated[str, Strict(), AfterValidator(_unicode)]
MetadataValue = (
    Annotated[bool, Strict()]
    | Annotated[int, Strict()]
    | Annotated[float, Strict()]
    | UnicodeText
    | Annotated[list[UnicodeText], Field(min_length=1, max_length=50)]
)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentBody(_Body):
    """A document to ingest: `text` as it is, or `data`, for what is not text."""

    id: Annotated[DocumentId, Field(examples=["emergency-fund"])]
    text: Annotated[
        UnicodeText | None,
        Field(
            min_length=1,
            max_length=MAX_TEXT_CHARACTERS,
            description="Longer texts go to the bucket, under a prefix, or into `data`.",
            examples=["Keep three to six months of expenses at hand."],
        ),
        AfterValidator(lambda value: value if value is None else _with_substance(value)),
    ] = None
    data: Annotated[
        str | None,
        Field(min_length=4, max_length=MAX_DATA_CHARACTERS, description="Content in base64."),
        AfterValidator(lambda value: value if value is None else _base64(value)),
    ] = None
    content_type: Literal["text/plain", "text/markdown", "text/html", "application/pdf"] = (
        "text/plain"
    )
    title: Annotated[
        UnicodeText | None,
        Field(
            min_length=1,
            max_length=300,
            description="Found in the document where it is not given.",
        ),
    ] = None
    metadata: Annotated[
        dict[str, MetadataValue],
        BeforeValidator(_metadata),
        Field(description="What queries can filter by.", examples=[{"topic": "savings"}]),
    ] = {}

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.text is None) == (self.data is None):
            raise ValueError("give either text or data")
        if self.text is not None and self.content_type == "application/pdf":
            raise ValueError("a PDF goes into data, in base64")
        return self

    def item(self) -> InlineItem:
        """Return the document as a job keeps it."""
        return InlineItem(
            id=self.id,
            kind=_KINDS[self.content_type],
            text=self.text,
            data=self.data,
            title=self.title,
            metadata=dict(self.metadata),
        )


class JobBody(_Body):
    """What to ingest: documents given here, or everything uploaded under a prefix."""

    documents: Annotated[
        list[DocumentBody] | None, Field(min_length=1, max_length=MAX_DOCUMENTS)
    ] = None
    prefix: Annotated[
        UnicodeText | None,
        Field(
            max_length=512,
            description="Keys in the bucket of the jobs; names end in .txt, .md, .html or .pdf.",
            examples=["uploads/2026/"],
        ),
        AfterValidator(lambda value: value if value is None else _prefix(value)),
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.documents is None) == (self.prefix is None):
            raise ValueError("give either documents or prefix")
        seen: set[str] = set()
        for document in self.documents or ():
            if document.id in seen:
                raise ValueError(f"the id {document.id!r} occurs twice")
            seen.add(document.id)
        return self


class Failure(_Body):
    """Why one document was not ingested."""

    document_id: str
    detail: str


class Waiting(_Body):
    """Why the job makes no progress just now, and when it is tried again."""

    reason: str
    until: Timestamp


class Job(_Body):
    """A job and how far it is."""

    id: str
    state: Annotated[
        domain.State,
        Field(description="`failed` where not one document was ingested; see also `failed`."),
    ]
    total: Annotated[int, Field(description="Documents of the job.")]
    done: Annotated[int, Field(description="Documents ingested.")]
    failed: Annotated[int, Field(description="Documents that could not be ingested.")]
    errors: Annotated[list[Failure], Field(description=f"The first {domain.MAX_ERRORS} failures.")]
    waiting: Waiting | None = None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, job: domain.Job) -> Self:
        return cls.model_validate(job, from_attributes=True)


class JobPage(_Body):
    """Some jobs, in the order of their ids."""

    jobs: list[Job]
    unreadable: Annotated[
        list[str], Field(description="Ids of jobs whose stored objects are damaged.")
    ]
    cursor: Annotated[str | None, Field(description="For the next page; null on the last.")]

    @classmethod
    def of(cls, page: domain.JobPage) -> Self:
        return cls.model_validate(page, from_attributes=True)
