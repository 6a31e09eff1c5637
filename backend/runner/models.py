"""Request and response bodies of the runner."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from runner import failures
from runner import jobs as domain
from runner.extraction import CONTENT_TYPES, Kind
from runner.items import InlineItem
from runner.pdf import MAX_PAGES
from shared.description.examples import DOCUMENT_EXAMPLE, with_examples
from shared.documents import check_metadata, require_distinct_ids
from shared.ingestion.documents import (
    MAX_INGESTED_DOCUMENTS,
    IngestedDocument,
    UploadPrefix,
    one_source,
)
from shared.models import Timestamp


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentBody(IngestedDocument):
    """A document to ingest, with room for the metadata that the runner adds."""

    @model_validator(mode="after")
    def _check_metadata(self) -> Self:
        if self.kind in {"pdf", "office"}:
            pages = {"first_page": MAX_PAGES, "last_page": MAX_PAGES}
            try:
                check_metadata({**self.metadata, **pages})
            except ValueError as error:
                raise ValueError(
                    f"metadata, with the pages' first_page and last_page: {error}"
                ) from None
        return self

    @property
    def kind(self) -> Kind:
        """What the content is."""
        return CONTENT_TYPES[self.content_type]

    def item(self) -> InlineItem:
        """Return the document as it is stored with a job."""
        return InlineItem(
            id=self.id,
            kind=self.kind,
            text=self.text,
            data=self.data,
            title=self.title,
            metadata=dict(self.metadata),
        )


Documents = Annotated[
    list[DocumentBody],
    Field(min_length=1, max_length=MAX_INGESTED_DOCUMENTS),
    AfterValidator(require_distinct_ids),
]


class JobBody(_Body):
    """Documents to ingest: in the body, or all that are uploaded under a prefix."""

    model_config = with_examples({"documents": [DOCUMENT_EXAMPLE]}, {"prefix": "uploads/2026/"})

    documents: Documents | None = None
    prefix: Annotated[
        UploadPrefix | None,
        Field(
            description="Prefix of keys in the jobs bucket: text, Markdown, HTML, PDF, CSV, and "
            "Word, Excel or PowerPoint documents (docx, xlsx, pptx).",
            examples=["uploads/2026/"],
        ),
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        one_source(self.documents, self.prefix)
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
