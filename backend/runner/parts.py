"""How many parts each long document has in s3vector.

If a shorter version has fewer parts, the count tells which parts to delete. Two owners may use the
same id, so counts are kept for each owner.
"""

from typing import Protocol

from shared.aws.bucket import Bucket
from shared.request import user


class PartCounts(Protocol):
    """Numbers of parts of the current user's documents by id; one never split counts 1."""

    def get(self, document_id: str) -> int:
        """Return how many parts of a document may be in the store."""

    def put(self, document_id: str, parts: int) -> None:
        """Record how many parts of a document may be in the store."""


class S3PartCounts:
    """Numbers of parts in an S3 bucket, under `jobs/parts/`; see `PartCounts`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def get(self, document_id: str) -> int:
        """Return how many parts of a document may be in the store."""
        found = self._bucket.get(_key(document_id))
        # If the count is damaged, surplus parts stay in the store; nothing is lost.
        if found is None or not found.data.isdigit() or len(found.data) > 6:
            return 1
        return int(found.data)

    def put(self, document_id: str, parts: int) -> None:
        """Record how many parts of a document may be in the store."""
        if parts > 1:
            self._bucket.put(_key(document_id), str(parts).encode())
        else:
            self._bucket.delete(_key(document_id))


def _key(document_id: str) -> str:
    owner = user.written_owner(user.current())
    return f"jobs/parts/{document_id}" if owner is None else f"jobs/parts/{owner}/{document_id}"
