"""The versions of a bucket's objects, key by key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Self

from botocore.exceptions import ClientError

from deploy.program import Refused

CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of S3 for a conditional write whose condition does not hold: the object was changed."""


@dataclass(frozen=True)
class Version:
    """A version of an object; a delete marker has neither an ETag nor a size."""

    key: str
    id: str
    modified: datetime
    is_latest: bool
    is_marker: bool = False
    etag: str = ""
    size: int = 0

    @classmethod
    def read(cls, entry: Any, *, is_marker: bool = False) -> Self:
        """Return an entry of ListObjectVersions."""
        return cls(
            entry["Key"],
            entry["VersionId"],
            entry["LastModified"],
            entry["IsLatest"],
            is_marker,
            entry.get("ETag", ""),
            entry.get("Size", 0),
        )


@dataclass(frozen=True)
class History:
    """All versions of one key, newest first."""

    key: str
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version | None:
        """The version that a reader gets; None if the object is deleted."""
        newest = self.versions[0]
        return None if newest.is_marker else newest

    def at(self, time: datetime) -> Version | None:
        """Return the version that a reader got at `time`; None if there was no object."""
        earlier = (one for one in self.versions if one.modified <= time)
        found = next(earlier, None)
        return None if found is None or found.is_marker else found

    def markers_above(self, version: Version) -> tuple[Version, ...]:
        """Return the delete markers above `version`; none if another version is above it too."""
        above = self.versions[: self.versions.index(version)]
        return above if all(one.is_marker for one in above) else ()


def histories(s3: Any, bucket: str, prefix: str = "") -> Iterator[History]:
    """Yield the history of each key in the order of keys, with the versions of one page in memory.

    Raises:
        Refused: The bucket does not exist or keeps no versions.
    """
    require_versions(s3, bucket)
    for key, versions in groupby(_entries(s3, bucket, prefix), attrgetter("key")):
        # S3's times have whole seconds. Of two entries of one second, the latest comes first, and a
        # version before a marker, so that a doubt never hides an object.
        newest_first = sorted(
            versions, key=lambda one: (one.is_latest, one.modified, not one.is_marker), reverse=True
        )
        yield History(key, tuple(newest_first))


def require_versions(s3: Any, bucket: str) -> None:
    """Check that a bucket keeps versions.

    Raises:
        Refused: It does not, or does not exist.
    """
    try:
        status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise Refused(
            f"the bucket {bucket} does not exist, and neither do its versions. docs/restore.md "
            "says how to create it again and what can be stored in it again"
        ) from None
    if status != "Enabled":
        raise Refused(f"the bucket {bucket} keeps no versions: nothing can be restored in it")


def _entries(s3: Any, bucket: str, prefix: str) -> Iterator[Version]:
    waiting: list[Version] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        # A page has two lists, each in the order of keys. Its last key may continue on the next.
        waiting += [Version.read(one) for one in page.get("Versions", [])]
        waiting += [Version.read(one, is_marker=True) for one in page.get("DeleteMarkers", [])]
        waiting.sort(key=attrgetter("key"))
        if waiting:
            last = waiting[-1].key
            yield from (one for one in waiting if one.key != last)
            waiting = [one for one in waiting if one.key == last]
    yield from waiting
