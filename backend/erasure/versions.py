"""All versions of a bucket's objects, and when its lifecycle rules delete each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from shared.aws.bucket import read_version
from shared.aws.clients import aws_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object; `replaced` is None for the current one, which a GET returns."""

    key: str
    id: str
    modified: datetime
    replaced: datetime | None


class Lifecycle:
    """The rules of a bucket, as `GetBucketLifecycleConfiguration` returns them."""

    def __init__(self, rules: Sequence[dict[str, Any]]) -> None:
        self._rules = [one for one in rules if one["Status"] == "Enabled"]

    def end_of(self, version: Version) -> datetime | None:
        """Return when S3 deletes a version for good, None if no rule does."""
        replaced = version.replaced
        if replaced is None:
            days = self._days(version.key, "Expiration", "Days")
            if days is None:
                return None
            replaced = _midnight(version.modified + days * _DAY)
        return self.end_of_replaced(version.key, replaced)

    def end_of_replaced(self, key: str, replaced: datetime) -> datetime | None:
        """Return when S3 deletes a version that is deleted or replaced at a time."""
        days = self._days(key, "NoncurrentVersionExpiration", "NoncurrentDays")
        return None if days is None else _midnight(replaced + days * _DAY)

    def _days(self, key: str, action: str, name: str) -> int | None:
        found = [
            int(rule[action][name])
            for rule in self._rules
            if name in rule.get(action, {})
            # Such a rule keeps the last versions for ever.
            and "NewerNoncurrentVersions" not in rule[action]
            and key.startswith(_prefix(rule))
        ]
        return min(found, default=None)


class VersionedBucket:
    """A bucket with versions. Every method blocks and raises the errors of `aws_errors`."""

    def __init__(self, name: str, client: "S3Client") -> None:
        self.name = name
        self._client = client

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield all versions below a prefix, by key, the newest of each key first."""
        pages = self._client.get_paginator("list_object_versions")
        found: list[tuple[str, datetime, bool, str | None]] = []
        with aws_errors(f"list the versions of s3://{self.name}/{prefix}"):
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
                found += [
                    (one["Key"], one["LastModified"], one["IsLatest"], one["VersionId"])
                    for one in page.get("Versions", [])
                ]
                found += [
                    (marker["Key"], marker["LastModified"], marker["IsLatest"], None)
                    for marker in page.get("DeleteMarkers", [])
                ]
        # Times are whole seconds; of equal ones the latest is the newer.
        found.sort(key=lambda one: (one[1], one[2]), reverse=True)
        for key, history in groupby(sorted(found, key=lambda one: one[0]), lambda one: one[0]):
            replaced: datetime | None = None
            for _, modified, is_latest, version_id in history:
                if version_id is not None:
                    yield Version(key, version_id, modified, None if is_latest else replaced)
                replaced = modified

    def read(self, version: Version) -> bytes:
        """Return the content of a version."""
        return read_version(self._client, self.name, version.key, version.id)

    def lifecycle(self) -> Lifecycle:
        """Return the bucket's rules."""
        client = self._client
        with aws_errors(f"read the lifecycle rules of s3://{self.name}"):
            try:
                answer: Any = client.get_bucket_lifecycle_configuration(Bucket=self.name)
            except client.exceptions.ClientError as error:
                if error_code(error) == "NoSuchLifecycleConfiguration":
                    return Lifecycle(())
                raise
        return Lifecycle(answer["Rules"])


def _prefix(rule: dict[str, Any]) -> str:
    prefix: str = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    return prefix


def _midnight(time: datetime) -> datetime:
    """Return the next midnight, when S3 applies its rules."""
    day = time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if day == time else day + _DAY
