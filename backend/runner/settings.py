"""The settings of the runner."""

from typing import Annotated

from pydantic import Field

from shared.settings import FullServiceSettings


class Settings(FullServiceSettings):
    """What the runner reads from its environment.

    A slice is the work on a job within one request. It starts no new batch after `slice_seconds`
    and is cancelled after `slice_limit_seconds`, so that the last write ends within the gateway's
    29 s. The lease, a worker's exclusive right to a job, expires `lease_grace_seconds` after that;
    the job of a killed instance waits that long.

    Requests with a Host header other than `allowed_hosts` (a JSON list) are refused. Only a server
    on a developer's machine needs it: a web page there can point its own host name at 127.0.0.1.

    The URL of an upload is valid for `upload_url_seconds`.

    Parsing a document, or one page of it, is cancelled after `parse_seconds`. Longer uploads are
    split into parts of `part_characters`. A document that made `max_attempts` slices fail is
    skipped. On SIGTERM the server waits up to `drain_seconds` for requests in flight.
    """

    jobs_bucket_name: Annotated[str, Field(min_length=3, max_length=63)]
    """The bucket of jobs and of the documents that they ingest."""

    origin_check: bool = False
    """Whether requests need the gateway's `x-origin-verify`."""

    allowed_hosts: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Requests with another Host header are refused."""

    bind_host: str = "0.0.0.0"  # noqa: S104 - all interfaces of its own container
    """The address on which the server listens."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port on which the server listens; 0 takes a free one."""

    slice_seconds: Annotated[float, Field(gt=0, le=60)] = 15.0
    """A slice starts no new batch after this time."""

    slice_limit_seconds: Annotated[float, Field(gt=0, le=110)] = 25.0
    """A slice is cancelled after this time."""

    lease_grace_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """A worker's right to a job ends this long after the slice's limit."""

    batch_documents: Annotated[int, Field(ge=1, le=100)] = 50
    """The most documents of a batch, which is stored at once."""

    batch_characters: Annotated[int, Field(ge=1)] = 120_000
    """The most characters of a batch."""

    part_characters: Annotated[int, Field(ge=1000, le=50_000)] = 40_000
    """A longer document is stored in parts of this many characters."""

    max_attempts: Annotated[int, Field(ge=5, le=100)] = 8
    """A document that made this many slices fail is skipped."""

    max_job_documents: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    """The most documents of a job."""

    max_document_bytes: Annotated[int, Field(ge=1)] = 20 * 2**20
    """The most bytes of one document."""

    upload_url_seconds: Annotated[int, Field(ge=60, le=3600)] = 600
    """How long the URL of an upload is valid."""

    parse_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Parsing a document, or a page of it, is cancelled after this time."""

    drain_seconds: Annotated[int, Field(ge=1, le=110)] = 28
    """How long the server waits for requests in flight on SIGTERM."""
