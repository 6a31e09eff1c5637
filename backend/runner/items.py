"""The documents of a job, in the form in which they are stored with it."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from runner.extraction import Kind
from runner.jobs import Job
from shared.errors import BadDependency
from shared.ingestion.documents import UPLOADS

type Metadata = dict[str, bool | int | float | str | list[str]]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str


class InlineItem(_Item):
    """A document in the body of the request, as text or as base64."""

    source: Literal["inline"] = "inline"
    kind: Kind
    text: str | None = None
    data: str | None = None
    title: str | None = None
    metadata: Metadata = {}


class UploadItem(_Item):
    """A document in the bucket; `size` is its length in bytes when the job was created.

    A file under a prefix has neither `kind` nor metadata: both follow from its key.
    """

    source: Literal["upload"] = "upload"
    key: str
    size: int
    kind: Kind | None = None
    title: str | None = None
    metadata: Metadata | None = None


Item = Annotated[InlineItem | UploadItem, Field(discriminator="source")]

_ITEMS: Final = TypeAdapter(list[Item])


def dump_items(items: Sequence[InlineItem | UploadItem]) -> bytes:
    """Return a job's documents as JSON."""
    return _ITEMS.dump_json(list(items))


def load_items(content: bytes, job: Job) -> list[InlineItem | UploadItem]:
    """Return a job's documents from JSON.

    Raises:
        BadDependency: The JSON is damaged.
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
    """Return the document id of an upload, which is always the same for the same key.

    A key that is not a valid id gets a hash, so that no two keys have the same id.
    """
    path = key.removeprefix(UPLOADS)
    if _ID.fullmatch(path) and ".." not in path:
        return path
    slug = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")[:80] or "document"
    return f"{slug}-{hashlib.sha256(path.encode()).hexdigest()[:12]}"
