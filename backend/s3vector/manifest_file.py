"""The manifest in its bucket: how it is read, and how writers take turns at it."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from s3vector.bucket import Bucket, Outdated, StoredObject
from s3vector.manifest import Manifest, decode_manifest
from shared.errors import Conflict, DeadlineExceeded, ServiceError, Unavailable
from shared.request.deadline import remaining_seconds

_COMMIT_ATTEMPTS: Final = 24
_LONGEST_PAUSE_SECONDS: Final = 0.5


class ManifestFile:
    """The one object of a store that is replaced.

    Args:
        bucket: Where it is.
        key: Its name there.
        space: The only vector space whose manifest is accepted.
        dimensions: The dimension of that space.
    """

    def __init__(self, bucket: Bucket, key: str, *, space: str, dimensions: int) -> None:
        self._bucket = bucket
        self._key = key
        self._space = space
        self._dimensions = dimensions

    def read(self, *, known: StoredObject | None = None) -> StoredObject | None:
        """Return it, `known` itself if it is still the same, None before the first commit."""
        return self._bucket.read(self._key, known=known)

    def decode(self, source: StoredObject | None) -> Manifest:
        """Return what it says; an empty one where there is none.

        Raises:
            CorruptObject: It is damaged.
            Conflict: It is of another vector space.
        """
        if source is None:
            return Manifest(self._space, self._dimensions, datetime.now(UTC).isoformat())
        manifest = decode_manifest(self._key, source.data)
        if (manifest.space, manifest.dimensions) != (self._space, self._dimensions):
            raise Conflict(
                f"The vectors bucket holds vectors of {manifest.space}, this service makes those "
                f"of {self._space}; they cannot be compared: set BEDROCK_MODEL_ID and "
                "EMBEDDING_DIMENSIONS back, or put the documents into an empty bucket."
            )
        return manifest

    def commit(
        self, change: Callable[[Manifest, str], Manifest | None], *, source: StoredObject | None
    ) -> bool:
        """Replace it by what `change` makes of it; false when that is None.

        Args:
            change: Takes the manifest and the commit's name; called again when another writer
                was faster.
            source: It as it was read last: no harm is done if it changed since.

        Raises:
            Unavailable: S3 failed, or there are too many writers; `change` was not made, or
                S3 may yet carry out what it answered with an error.
        """
        commit = uuid4().hex
        failure: ServiceError | None = None
        for attempt in range(_COMMIT_ATTEMPTS):
            manifest = self.decode(source)
            if commit in manifest.commits:  # it landed, whatever S3 answered
                return True
            if failure is not None:
                raise failure
            changed = change(manifest, commit)
            if changed is None:
                return False
            try:
                self._bucket.replace(self._key, changed.encode(), known=source)
            except Outdated:
                self._pause(attempt)
            except Unavailable as error:
                failure = error  # it may have landed all the same: look once before giving up
            else:
                return True
            source = self.read()
        raise Unavailable(
            "Too many writers at once; nothing of this request was stored, try again.",
            retry_after=1,
        )

    def _pause(self, attempt: int) -> None:
        # Full jitter: writers that met once should not meet again.
        pause = random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt))  # noqa: S311
        left = remaining_seconds()
        if left is not None and left <= pause:
            raise DeadlineExceeded("No time is left to get a turn among the writers; try again.")
        time.sleep(pause)
