"""Reads and replaces the manifest in its bucket, with optimistic concurrency."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from s3vector.manifest import Manifest, decode_manifest
from shared.aws.bucket import Bucket, StoredObject, WriteConflict
from shared.errors import Conflict, DeadlineExceeded, ServiceError, Unavailable
from shared.request.deadline import remaining_seconds

_COMMIT_ATTEMPTS: Final = 24
_LONGEST_PAUSE_SECONDS: Final = 0.5


class ManifestFile:
    """The manifest object of a store.

    Args:
        bucket: The bucket of the store.
        key: The manifest's key.
        space: The model and dimension that the manifest must have.
        dimensions: That dimension.
    """

    def __init__(self, bucket: Bucket, key: str, *, space: str, dimensions: int) -> None:
        self._bucket = bucket
        self._key = key
        self._space = space
        self._dimensions = dimensions

    def read(self, *, known: StoredObject | None = None) -> StoredObject | None:
        """Return the object, `known` itself if it is unchanged, None before the first commit."""
        return self._bucket.get(self._key, known=known)

    def decode(self, source: StoredObject | None) -> Manifest:
        """Return the manifest in an object; an empty manifest if there is no object.

        Raises:
            CorruptObject: The object is damaged.
            Conflict: The vectors were made with another model or dimension.
        """
        if source is None:
            return Manifest(self._space, self._dimensions, datetime.now(UTC).isoformat())
        manifest = decode_manifest(self._key, source.data)
        if (manifest.space, manifest.dimensions) != (self._space, self._dimensions):
            raise Conflict(
                f"The vectors bucket contains vectors of {manifest.space}, but this service makes "
                f"vectors of {self._space}; they cannot be compared. Set BEDROCK_MODEL_ID and "
                "EMBEDDING_DIMENSIONS back, or store the documents in an empty bucket."
            )
        return manifest

    def commit(
        self, change: Callable[[Manifest, str], Manifest | None], *, source: StoredObject | None
    ) -> bool:
        """Replace the manifest by what `change` returns; return False if that is None.

        Args:
            change: Takes the manifest and the id of this commit. Called again with the new
                manifest if another writer was faster.
            source: The object as it was last read; it may be outdated.

        Raises:
            Unavailable: S3 failed, or too many writers compete. The change was not made, unless
                S3 answered with an error and carries out the write later.
        """
        commit = uuid4().hex
        failure: ServiceError | None = None
        for attempt in range(_COMMIT_ATTEMPTS):
            manifest = self.decode(source)
            if commit in manifest.commits:  # S3 answered with an error but made the change
                return True
            if failure is not None:
                raise failure
            changed = change(manifest, commit)
            if changed is None:
                return False
            try:
                if source is None:
                    self._bucket.put_if_absent(self._key, changed.encode())
                else:
                    self._bucket.put_if_match(self._key, changed.encode(), source.etag)
            except WriteConflict:
                self._pause(attempt)
            except Unavailable as error:
                failure = error  # S3 may have made the change: read once more before giving up
            else:
                return True
            source = self.read()
        raise Unavailable(
            "Too many writers at once; nothing was stored, try again.",
            retry_after=1,
        )

    def _pause(self, attempt: int) -> None:
        # Full jitter, so that writers that collided do not collide again.
        pause = random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt))  # noqa: S311
        left = remaining_seconds()
        if left is not None and left <= pause:
            raise DeadlineExceeded(
                "The request's time ended while it waited for other writers; try again."
            )
        time.sleep(pause)
