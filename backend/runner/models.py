"""Request and response bodies of the runner."""

import base64
import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from runner import failures
from runner import jobs as domain
from runner.extraction import Kind
from runner.items import InlineItem
from runner.pdf import MAX_PAGES
from runner.uploads import UPLOADS
from shared.documents import (
    DocumentFields,
    DocumentId,
    DocumentText,
    DocumentTitle,
    UnicodeText,
    check_metadata,
    require_distinct_ids,
)

MAX_DOCUMENTS = 1000
MAX_DATA_CHARACTERS = 5_600_000
"""The longest base64: 4 MiB of document, which fits into one request through the gateway."""

_PART_ID = re.compile(r":p\d+$")
_KINDS: dict[str, Kind] = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/pdf": "pdf",
}


def _refuse_part_id(value: str) -> str:
    if _PART_ID.search(value):
        raise ValueError("must not end in ':p' and a number, like the parts of long documents")
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


def _iso(moment: AwareDatetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    AwareDatetime, PlainSerializer(_iso, return_type=str), Field(description="ISO 8601, UTC.")
]
Data = Annotated[
    str,
    Field(min_length=4, max_length=MAX_DATA_CHARACTERS),
    AfterValidator(_require_base64),
]
UploadPrefix = Annotated[UnicodeText, Field(max_length=512), AfterValidator(_require_upload_prefix)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentBody(DocumentFields):
    """A document to ingest: a text as `text`, any other content as `data`."""

    id: Annotated[DocumentId, AfterValidator(_refuse_part_id), Field(examples=["emergency-fund"])]
    text: Annotated[
        DocumentText | None,
        Field(
            description="Put longer texts into `data`, or upload them and give their prefix.",
            examples=["Keep three to six months of expenses at hand."],
        ),
    ] = None
    data: Annotated[Data | None, Field(description="Content in base64.")] = None
    content_type: Literal["text/plain", "text/markdown", "text/html", "application/pdf"] = (
        "text/plain"
    )
    title: Annotated[
        DocumentTitle | None, Field(description="By default the title in the document.")
    ] = None

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        if (self.text is None) == (self.data is None):
            raise ValueError("give either text or data")
        if self.content_type == "application/pdf":
            if self.text is not None:
                raise ValueError("a PDF goes into data, in base64")
            pages = {"first_page": MAX_PAGES, "last_page": MAX_PAGES}
            try:
                check_metadata({**self.metadata, **pages})
            except ValueError as error:
                raise ValueError(
                    f"metadata, with a PDF's first_page and last_page: {error}"
                ) from None
        return self

    def item(self) -> InlineItem:
        """Return the document as it is stored with a job."""
        return InlineItem(
            id=self.id,
            kind=_KINDS[self.content_type],
            text=self.text,
            data=self.data,
            title=self.title,
            metadata=dict(self.metadata),
        )


Documents = Annotated[
    list[DocumentBody],
    Field(min_length=1, max_length=MAX_DOCUMENTS),
    AfterValidator(require_distinct_ids),
]


class JobBody(_Body):
    """Documents to ingest: in the body, or all that are uploaded under a prefix."""

    documents: Documents | None = None
    prefix: Annotated[
        UploadPrefix | None,
        Field(
            description="Prefix of keys in the jobs bucket that end in .txt, .md, .html or .pdf.",
            examples=["uploads/2026/"],
        ),
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.documents is None) == (self.prefix is None):
            raise ValueError("give either documents or prefix")
        return self


class Pages(_Body):
    """Consecutive pages of a document, counted from 1."""

    first: int
    last: int


class Failure(_Body):
    """Why one document, or some of its pages, were not ingested."""

    document_id: str
    detail: str
    pages: Annotated[
        list[Pages],
        Field(description="The pages that could not be read; empty if it is the whole document."),
    ] = []


class Waiting(_Body):
    """Why the job waits, and until when."""

    reason: str
    until: Timestamp


class Job(_Body):
    """A job and its progress."""

    id: str
    state: Annotated[
        domain.State,
        Field(
            description="`partial` if some documents or pages were not ingested, `failed` if no "
            "document was; see `errors`."
        ),
    ]
    total: Annotated[int, Field(description="Number of documents.")]
    done: Annotated[int, Field(description="Documents ingested, with those in `partial`.")]
    partial: Annotated[int, Field(description="Documents of which some pages could not be read.")]
    failed: Annotated[int, Field(description="Documents that could not be ingested.")]
    errors: Annotated[
        list[Failure], Field(description=f"The first {failures.MAX_ERRORS} failures.")
    ]
    pages_done: Annotated[
        int, Field(description="Pages of the document in work that are ingested.")
    ] = 0
    waiting: Waiting | None = None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, job: domain.Job) -> Self:
        return cls.model_validate(job, from_attributes=True)


class JobPage(_Body):
    """One page of jobs, in the order of their ids."""

    jobs: list[Job]
    unreadable: Annotated[
        list[str], Field(description="Ids of jobs whose stored objects are damaged.")
    ]
    cursor: Annotated[str | None, Field(description="For the next page; null on the last.")]

    @classmethod
    def of(cls, page: domain.JobPage) -> Self:
        return cls.model_validate(page, from_attributes=True)
