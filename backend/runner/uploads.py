"""Documents that were uploaded to the bucket."""

from collections.abc import Mapping
from itertools import islice
from typing import Protocol

from runner.text import ExtractionError, too_large
from shared.aws.bucket import Bucket, ObjectTooLarge


class UploadGone(ExtractionError):
    """The upload was deleted after the job was created."""


class Uploads(Protocol):
    """The uploaded documents."""

    def listing(self, prefix: str, *, limit: int) -> list[tuple[str, int]]:
        """Return the keys and sizes under a prefix: at most `limit` + 1, to detect an excess."""

    def read(self, key: str, *, max_bytes: int) -> tuple[bytes, str]:
        """Return content and media type.

        Raises:
            ExtractionError: The upload is gone, or larger than `max_bytes`.
        """

    def size(self, key: str) -> int | None:
        """Return the bytes of an upload, or None if there is none."""

    def presigned_put(self, key: str, headers: Mapping[str, str], *, seconds: int) -> str:
        """Return a URL to which a file with these headers can be put for some seconds."""


class S3Uploads:
    """Uploads in an S3 bucket; see `Uploads`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def listing(self, prefix: str, *, limit: int) -> list[tuple[str, int]]:
        """Return the keys and sizes under a prefix: at most `limit` + 1, to detect an excess."""
        files = (
            (one.key, one.size)
            for one in self._bucket.objects(prefix)
            if not one.key.endswith("/")  # the S3 console's empty object for a folder
        )
        return [*islice(files, limit + 1)]

    def read(self, key: str, *, max_bytes: int) -> tuple[bytes, str]:
        """Return content and media type."""
        try:
            found = self._bucket.get(key, max_bytes=max_bytes)
        except ObjectTooLarge:
            raise too_large(max_bytes) from None
        if found is None:
            raise UploadGone("it was deleted after the job was made: upload it again")
        return found.data, found.content_type

    def size(self, key: str) -> int | None:
        """Return the bytes of an upload, or None if there is none."""
        return self._bucket.size(key)

    def presigned_put(self, key: str, headers: Mapping[str, str], *, seconds: int) -> str:
        """Return a URL to which a file with these headers can be put for some seconds."""
        return self._bucket.presigned_put(key, headers, seconds=seconds)
