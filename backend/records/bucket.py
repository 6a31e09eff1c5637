"""The bucket with records and seals."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from records.versions import Version
from shared.aws.bucket import read_version
from shared.aws.clients import aws_errors, error_code
from shared.errors import BadDependency

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THREADS: Final = 16
_AHEAD: Final = 256


class RecordsBucket:
    """A bucket with versions and, except in dev, with Object Lock. Every method blocks.

    Args:
        name: The bucket's name.
        client: Returns the S3 client.
    """

    def __init__(self, name: str, client: "Callable[[], S3Client]") -> None:
        self.name = name
        self._client = client

    def versions(self, prefix: str) -> Iterator[Version]:
        pages = self._client().get_paginator("list_object_versions")
        with aws_errors(f"list the versions of s3://{self.name}/{prefix}"):
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
                # S3 returns versions and delete markers as two lists, each in the order of keys.
                found = [
                    Version(
                        one["Key"], one["VersionId"], one["Size"], one["LastModified"].isoformat()
                    )
                    for one in page.get("Versions", [])
                ] + [
                    Version(one["Key"], one["VersionId"], 0, one["LastModified"].isoformat(), True)
                    for one in page.get("DeleteMarkers", [])
                ]
                found.sort(key=lambda one: one.modified, reverse=True)
                yield from sorted(found, key=lambda one: one.key)

    def contents(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        with ThreadPoolExecutor(_THREADS) as pool:
            waiting: deque[tuple[Version, Future[bytes]]] = deque()
            for one in versions:
                waiting.append((one, pool.submit(self.read, one.key, one.id)))
                if len(waiting) >= _AHEAD:
                    version, content = waiting.popleft()
                    yield version, content.result()
            for version, content in waiting:
                yield version, content.result()

    def read(self, key: str, version_id: str) -> bytes:
        """Return the content of a version."""
        return read_version(self._client(), self.name, key, version_id)

    def put_new(self, key: str, data: bytes) -> bool:
        """Store an object; return False if there is one under the key."""
        client = self._client()
        with aws_errors(f"write s3://{self.name}/{key}"):
            try:
                client.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=data,
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
            except client.exceptions.ClientError as error:
                if error_code(error) in {"PreconditionFailed", "ConditionalRequestConflict"}:
                    return False
                raise
        return True

    def retained_until(self, version: Version) -> datetime | None:
        """Return until when Object Lock keeps a version; None without a lock.

        Raises:
            BadDependency: S3 returns no date, although the bucket has a default retention.
        """
        with aws_errors(f"read the retention of s3://{self.name}/{version.key}"):
            answer = self._client().head_object(
                Bucket=self.name, Key=version.key, VersionId=version.id
            )
        until = answer.get("ObjectLockRetainUntilDate")
        # S3 omits the date if the caller lacks the permission to read it.
        if until is None and self._has_default_retention:
            raise BadDependency(
                f"S3 does not say until when s3://{self.name}/{version.key} is retained: your role "
                "needs s3:GetObjectRetention, or the object is older than the bucket's lock."
            )
        return until

    @cached_property
    def _has_default_retention(self) -> bool:
        client = self._client()
        with aws_errors(f"read the lock of s3://{self.name}"):
            try:
                answer = client.get_object_lock_configuration(Bucket=self.name)
            except client.exceptions.ClientError as error:
                if error_code(error) == "ObjectLockConfigurationNotFoundError":
                    return False
                raise
        return "DefaultRetention" in answer["ObjectLockConfiguration"].get("Rule", {})
