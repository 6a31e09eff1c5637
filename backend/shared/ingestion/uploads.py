"""Uploads: a client asks for a URL, puts a file there, and names the upload in a document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.description.examples import with_examples
from shared.documents import ContentType
from shared.models import Timestamp

UploadId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="From POST /uploads; put the content to its URL first."),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UploadRequest(_Request):
    """A file to upload."""

    model_config = with_examples(
        {"content_type": "application/pdf", "size": 250_000, "sha256": "9f" * 32}
    )

    content_type: ContentType
    size: Annotated[int, Field(strict=True, ge=1, description="Bytes; the URL takes no other.")]
    sha256: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9a-f]{64}$"),
        Field(description="Of the file. The same file has the same id each time."),
    ]


class Upload(BaseModel):
    """Where to put a file: one request with this method, these headers and the file as its body."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: UploadId
    method: Literal["PUT"] = "PUT"
    url: Annotated[str, Field(description="Presigned for S3: send no API key to it.")]
    headers: Annotated[
        dict[str, str],
        Field(description="All signed. A browser sets content-length itself."),
    ]
    expires_at: Timestamp
    is_stored: Annotated[bool, Field(description="Whether the file was put there before.")]
