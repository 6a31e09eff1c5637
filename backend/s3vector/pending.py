"""Additions that wait to be committed, so that one writer can commit those of others.

A writer among others puts an empty object, an offer, whose name describes its segment and the last
commit that the writer knew. Whoever replaces the manifest next adds the segments that are offered.

A writer may have been killed after its offer, and its caller may have repeated the request since.
So an offer is taken only while no later commit changed one of its documents: to commit it then is
the same as having committed it before them. The manifest's list of commits shows that, and
whether the offer was taken already.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from s3vector.manifest import Addition, Manifest, SegmentEntry, share_a_document
from shared.aws.bucket import Bucket

# A writer that has waited longer has given up, or was killed.
_LONGEST_WAIT: Final = timedelta(seconds=30)
_MAX_LISTED: Final = 200

_NAME: Final = re.compile(
    r"\d{13}\.(?P<commit>[0-9a-f]{32})\.(?P<since>[0-9a-f]{32})\.(?P<size>\d+)"
    r"\.(?P<passages>\d+)\.(?P<checksum>[0-9a-f]{64})\.(?P<digest>[0-9a-f]+)"
)


@dataclass(frozen=True, slots=True)
class Offer:
    """An addition that waits, and the last commit that its writer knew."""

    key: str
    addition: Addition
    since: str


class PendingCommits:
    """The additions that wait.

    Args:
        bucket: The bucket of the store.
        prefix: What the keys start with.
        segments: What the segments' keys start with.
    """

    def __init__(self, bucket: Bucket, *, prefix: str, segments: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._segments = segments

    def put(self, addition: Addition, since: str) -> Offer:
        """Let any writer commit an addition."""
        entry = addition.entry
        key = (
            f"{self._prefix}{_milliseconds()}.{addition.commit}.{since}.{entry.size}."
            f"{entry.passages}.{entry.checksum}.{addition.digest}"
        )
        self._bucket.put(key, b"")
        return Offer(key, addition, since)

    def takeable(self, own: Offer, manifest: Manifest, *, capacity_bytes: int) -> list[Offer]:
        """Return what others offer and can be committed together with one's own offer."""
        start = f"{self._prefix}{_milliseconds(-_LONGEST_WAIT.total_seconds())}"
        found = self._bucket.page(self._prefix, limit=_MAX_LISTED, after=start).objects
        mine = next((one.modified for one in found if one.key == own.key), None)
        room = capacity_bytes - manifest.size - own.addition.entry.size
        touched = own.addition.digest
        taken: list[Offer] = []
        for one in found:
            offer = self._read(one.key)
            # Both times are S3's own.
            if offer is None or mine is None or mine - one.modified > _LONGEST_WAIT:
                continue
            addition = offer.addition
            if (
                manifest.includes(addition.commit)
                or share_a_document(addition.digest, touched)
                or not manifest.is_untouched(addition.digest, since=offer.since)
            ):
                continue
            if addition.entry.passages:  # deletions are always taken
                if addition.entry.size > room:
                    continue
                room -= addition.entry.size
            touched += addition.digest
            taken.append(offer)
        return taken

    def old(self, before: datetime) -> Sequence[str]:
        """Return the keys of offers that were made before a time."""
        found = self._bucket.page(self._prefix).objects
        return [one.key for one in found if one.modified < before]

    def _read(self, key: str) -> Offer | None:
        name = _NAME.fullmatch(key.removeprefix(self._prefix))
        if name is None:
            return None
        segment = f"{self._segments}{name['commit']}.seg"
        size, passages = int(name["size"]), int(name["passages"])
        entry = SegmentEntry(segment, name["checksum"], size, passages)
        return Offer(key, Addition(entry, name["digest"]), name["since"])


def _milliseconds(seconds: float = 0) -> str:
    return f"{int((time.time() + seconds) * 1000):013d}"
