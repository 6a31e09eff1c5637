"""The documents of a job: given inline or uploaded to the bucket, and read one at a time."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from runner.extraction import Extract, ExtractionError, Kind, kind_of, too_large
from runner.jobs import Job
from runner.reader import Reader
from shared.aws.clients import aws_errors, error_code
from shared.errors import BadDependency

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

type Metadata = dict[str, bool | int | float | str | list[str]]

UPLOADS: Final = "uploads/"
"""Where documents are uploaded to, in the bucket of the jobs."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str


class InlineItem(_Item):
    """A document that the job brought along, as text or as base64."""

    source: Literal["inline"] = "inline"
    kind: Kind
    text: str | None = None
    data: str | None = None
    title: str | None = None
    metadata: Metadata = {}


class UploadItem(_Item):
    """A document under the job's prefix, as it was listed when the job was made."""

    source: Literal["upload"] = "upload"
    key: str
    size: int


Item = Annotated[InlineItem | UploadItem, Field(discriminator="source")]

_ITEMS: Final = TypeAdapter(list[Item])


def dump_items(items: Sequence[InlineItem | UploadItem]) -> bytes:
    """Return the stored form of a job's documents."""
    return _ITEMS.dump_json(list(items))


def load_items(content: bytes, job: Job) -> list[InlineItem | UploadItem]:
    """Return a job's documents from their stored form.

    Raises:
        BadDependency: The stored form is damaged.
    """
    try:
        items = list(_ITEMS.validate_json(content))
    except ValidationError:
        items = []
    if len(items) != job.total:
        raise BadDependency(
            f"The documents of job {job.id} are damaged: {job.items_key}. Restore an earlier "
            "version of that object, or cancel the job."
        )
    return items


def document_id(key: str) -> str:
    """Return the id under which an upload is ingested: always the same for the same key.

    A name that is not an id as it stands gets a hash, so that no two keys share an id.
    """
    path = key.removeprefix(UPLOADS)
    if _ID.fullmatch(path) and ".." not in path:
        return path
    slug = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")[:80] or "document"
    return f"{slug}-{hashlib.sha256(path.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Opened:
    """A document whose text can be read. `parts_matter` where it may be cut into several."""

    item: InlineItem | UploadItem
    extract: Extract
    title: str | None
    metadata: Metadata
    parts_matter: bool


class UploadGone(ExtractionError):
    """The upload was deleted after the job was made."""


class Uploads(Protocol):
    """The uploaded documents."""

    def listing(self, prefix: str, *, limit: int) -> list[tuple[str, int]]:
        """Return keys and sizes under a prefix, at most `limit` of them and one more."""

    def read(self, key: str, *, max_bytes: int) -> tuple[bytes, str]:
        """Return content and media type; `ExtractionError` where it is gone or too large."""


class S3Uploads:
    """Uploads in a bucket; see `Uploads`."""

    def __init__(self, bucket: str, client: "Callable[[], S3Client]") -> None:
        self._bucket = bucket
        self._client = client

    def listing(self, prefix: str, *, limit: int) -> list[tuple[str, int]]:
        """Return keys and sizes under a prefix, at most `limit` of them and one more."""
        found: list[tuple[str, int]] = []
        with aws_errors(f"list {prefix}"):
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                found += [
                    (entry["Key"], entry["Size"])
                    for entry in page.get("Contents", [])
                    if not entry["Key"].endswith("/")  # a console's folder
                ]
                if len(found) > limit:
                    break
        return found[: limit + 1]

    def read(self, key: str, *, max_bytes: int) -> tuple[bytes, str]:
        """Return content and media type; `ExtractionError` where it is gone or too large."""
        from botocore.exceptions import ClientError

        with aws_errors(f"read {key}"):
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    raise UploadGone("it was deleted after the job was made") from None
                raise
            with answer["Body"] as body:
                if answer["ContentLength"] > max_bytes:
                    raise too_large(max_bytes)
                return body.read(), answer.get("ContentType", "")


class Opener:
    """Opens a job's documents, and keeps the last one: its next part is often asked for next.

    Close it, to end the process in which it reads.

    Args:
        uploads: Where uploaded documents are.
        max_bytes: The largest upload that is read.
        seconds: The longest time that a document, or a page of it, may take to be parsed.
    """

    def __init__(self, uploads: Uploads, *, max_bytes: int, seconds: float) -> None:
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._reader = Reader(seconds=seconds)
        self._last: Opened | None = None

    def open(self, item: InlineItem | UploadItem) -> Opened:
        """Return a document's text.

        Raises:
            ExtractionError: It has none that can be had.
            ServiceError: The storage failed.
        """
        if self._last is None or self._last.item is not item:
            self._last = None  # two large documents need not be in memory at once
            self._last = self._inline(item) if isinstance(item, InlineItem) else self._upload(item)
        return self._last

    def close(self) -> None:
        """End the reading process; whoever waits for it gets an `ExtractionError`."""
        self._reader.close()

    def _inline(self, item: InlineItem) -> Opened:
        content = base64.b64decode(item.data) if item.data else (item.text or "").encode()
        text = self._reader.extract(content, item.kind)
        title = item.title or text.title
        return Opened(item, text, title, item.metadata, item.data is not None)

    def _upload(self, item: UploadItem) -> Opened:
        if item.size > self._max_bytes:
            raise too_large(self._max_bytes)
        content, media_type = self._uploads.read(item.key, max_bytes=self._max_bytes)
        text = self._reader.extract(content, kind_of(item.key, media_type))
        title = text.title or item.key.rpartition("/")[2]
        return Opened(item, text, title, {"source": item.key}, True)
