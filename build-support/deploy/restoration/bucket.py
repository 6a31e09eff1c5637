"""Brings a bucket back to a point in time.

No content is deleted: an object of that time is the newest version again, and what was written
later stays as an earlier version. So a restore can be repeated, continued, and undone by another.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from deploy.program import Refused
from deploy.restoration.history import CHANGED, Version, histories

_SOURCE: Final = "restored-version"  # metadata of a copy


@dataclass(frozen=True)
class Change:
    """What happens to one object.

    `wanted` is its version at the point in time (None: there was none), `current` what a reader
    gets now, `markers` the delete markers whose removal is enough.
    """

    key: str
    wanted: Version | None
    current: Version | None
    markers: tuple[Version, ...] = ()

    @property
    def kind(self) -> str:
        """Return what is done, as a participle."""
        if self.wanted is None:
            return "deleted"
        return "undeleted" if self.markers else "copied"

    def __str__(self) -> str:
        """Describe the change in one line."""
        if self.wanted is None:
            return f"{self.key}: would be deleted; it was written later and stays as a version"
        what = f"{self.wanted.id} of {self.wanted.modified.isoformat()}, {self.wanted.size} bytes"
        if self.markers:
            return f"{self.key}: would be undeleted: version {what}"
        return f"{self.key}: would become version {what} again"


def changes(s3: Any, bucket: str, time: datetime, prefix: str, limit: int) -> list[Change]:
    """Return what differs from the point in time, in the order in which it is to be restored.

    Raises:
        Refused: The bucket has no versions of that time, or more than `limit` objects differ.
    """
    _require_kept(s3, bucket, time)
    found: list[Change] = []
    for change in _differences(s3, bucket, time, prefix):
        found.append(change)
        if len(found) > limit:
            raise Refused(
                f"more than {limit} objects of {bucket} differ from that time. Restore a part with "
                "--prefix, or allow more with --limit"
            )
    # In the order in which they were written: a manifest was written after what it lists. Objects
    # that were not there go last, when nothing refers to them any longer.
    first = datetime.min.replace(tzinfo=UTC)
    return sorted(
        found,
        key=lambda one: (
            one.wanted is None,
            one.wanted.modified if one.wanted else first,
            one.key,
        ),
    )


def _differences(s3: Any, bucket: str, time: datetime, prefix: str) -> Iterator[Change]:
    for history in histories(s3, bucket, prefix):
        wanted, current = history.at(time), history.current
        if wanted is None:
            if current is not None:
                yield Change(history.key, None, current)
        elif current is None or not _is_copy(s3, bucket, current, wanted):
            yield Change(history.key, wanted, current, history.markers_above(wanted))


def _is_copy(s3: Any, bucket: str, current: Version, wanted: Version) -> bool:
    if current.size != wanted.size:
        return False
    if current.etag == wanted.etag:
        return True
    # The ETag of an upload in parts is no hash of its content, and a copy of it has another one.
    if "-" not in wanted.etag:
        return False
    head = s3.head_object(Bucket=bucket, Key=current.key, VersionId=current.id)
    return bool(head["Metadata"].get(_SOURCE) == wanted.id)


def _require_kept(s3: Any, bucket: str, time: datetime) -> None:
    """Refuse a time for which versions were deleted: their objects would seem to be new."""
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchLifecycleConfiguration", "NoSuchBucket"}:
            raise
        return
    days = [
        int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
        for rule in rules
        if rule["Status"] == "Enabled" and "NoncurrentVersionExpiration" in rule
    ]
    if days and time < datetime.now(UTC) - timedelta(days=min(days)):
        raise Refused(
            f"{bucket} keeps replaced and deleted versions for {min(days)} days: those of "
            f"{time.isoformat()} are incomplete. Choose a later time"
        )


def restore(s3: Any, bucket: str, planned: Iterable[Change]) -> Counter[str]:
    """Carry out changes one after another, and return how many of each kind were made.

    Raises:
        Refused: An object could not be restored, or was written meanwhile. What comes before it
            is restored, and the next run does the rest.
    """
    done: Counter[str] = Counter()
    for change in planned:
        try:
            _apply(s3, bucket, change)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            reason = "it was written meanwhile" if code in CHANGED else str(error)
            raise Refused(
                f"{done.total()} objects of {bucket} were restored, but not {change.key}: "
                f"{reason}. Run the same command again: it does what is left"
            ) from error
        done[change.kind] += 1
    return done


def _apply(s3: Any, bucket: str, change: Change) -> None:
    target = {"Bucket": bucket, "Key": change.key}
    if change.wanted is None:
        etag = change.current.etag if change.current else ""
        s3.delete_object(**target, IfMatch=etag)
        return
    for marker in change.markers:
        s3.delete_object(**target, VersionId=marker.id)
    if not change.markers:
        _copy(s3, bucket, change.wanted, change.current)


def _copy(s3: Any, bucket: str, wanted: Version, current: Version | None) -> None:
    """Copy an earlier version over the current one, unless somebody has replaced that meanwhile."""
    source = {"Bucket": bucket, "Key": wanted.key, "VersionId": wanted.id}
    options: dict[str, Any] = {"IfMatch": current.etag} if current else {"IfNoneMatch": "*"}
    if "-" in wanted.etag:
        head = s3.head_object(**source)
        kept = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentType")
        options |= {name: head[name] for name in kept if name in head}
        options["Metadata"] = {**head["Metadata"], _SOURCE: wanted.id}
        options["MetadataDirective"] = "REPLACE"
    s3.copy_object(Bucket=bucket, Key=wanted.key, CopySource=source, **options)
