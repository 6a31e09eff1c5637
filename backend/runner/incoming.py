"""Files that callers upload to presigned URLs, each under its caller's own prefix."""

import base64
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

from runner.items import InlineItem, UploadItem
from runner.models import DocumentBody
from runner.uploads import Uploads
from shared.errors import PayloadTooLarge, Unprocessable
from shared.ingestion.uploads import Upload, UploadRequest
from shared.request import user

INCOMING: Final = "incoming/"
"""Key prefix of these files; a lifecycle rule of the bucket deletes them after some days."""

_THREADS: Final = 8


class Incoming:
    """Signs URLs for uploads, and finds what was put to them.

    The key of an upload contains the user who asked for the URL. So nobody can name the upload of
    another user, and a prefix of the operator's uploads never includes one. It also contains the
    file's hash, which S3 checks: a file that is sent again is the same upload.

    Args:
        uploads: The uploaded documents.
        max_bytes: The largest upload.
        url_seconds: How long a URL is valid.
    """

    def __init__(self, uploads: Uploads, *, max_bytes: int, url_seconds: int) -> None:
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._url_seconds = url_seconds

    def create(self, request: UploadRequest) -> Upload:
        """Return where to put a file.

        Raises:
            PayloadTooLarge: The file is over the limit.
        """
        self._require_size(request.size)
        key = _folder() + request.sha256
        headers = {
            "content-type": request.content_type,
            "content-length": str(request.size),
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(request.sha256)).decode(),
        }
        return Upload(
            id=request.sha256,
            url=self._uploads.presigned_put(key, headers, seconds=self._url_seconds),
            headers=headers,
            expires_at=datetime.now(UTC) + timedelta(seconds=self._url_seconds),
            is_stored=self._uploads.size(key) == request.size,
        )

    def items(self, documents: Sequence[DocumentBody]) -> list[InlineItem | UploadItem]:
        """Return the documents of a request as they are stored with a job.

        Raises:
            Unprocessable: An upload that a document names does not exist.
            PayloadTooLarge: An upload is over the limit.
        """
        folder = _folder()
        keys = {folder + one.upload for one in documents if one.upload is not None}
        with ThreadPoolExecutor(_THREADS) as pool:  # starts no thread if there are no keys
            sizes = dict(zip(keys, pool.map(self._uploads.size, keys), strict=True))
        return [
            one.item() if one.upload is None else self._uploaded(one, folder + one.upload, sizes)
            for one in documents
        ]

    def _uploaded(
        self, document: DocumentBody, key: str, sizes: Mapping[str, int | None]
    ) -> UploadItem:
        size = sizes[key]
        if size is None:
            raise Unprocessable(
                f"There is no upload {document.upload} for document {document.id!r}: put the file "
                "to the URL of POST /uploads first. Uploads are deleted after some days."
            )
        self._require_size(size)
        return UploadItem(
            id=document.id,
            key=key,
            size=size,
            kind=document.kind,
            title=document.title,
            metadata=dict(document.metadata),
        )

    def _require_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise PayloadTooLarge(f"A file may have at most {self._max_bytes:,} bytes; split it.")


def _folder() -> str:
    """Return the key prefix of the current user's uploads, or of the operator's."""
    owner = user.current()
    return f"{INCOMING}{'operator' if owner is None else owner.own}/"
