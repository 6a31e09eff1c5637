"""The bucket with records and seals."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from records.versions import Version
from shared.aws.clients import aws_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THREADS: Final = 16
_AHEAD: Final = 256
_NOT_LOCKED: Final = frozenset(
    {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest"}
)


class RecordsBucket:
    """A bucket with versions and, except in dev, with Object Lock. Every method blocks.

    Args:
        name: The bucket's name.
        client: Returns the S3 client.
    """

    def __init__(self, name: str, client: "Callable[[], S3Client]") -> None:
        self.name = name
        self._client = client

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        pages = self._client().get_paginator("list_object_versions")
        start: Any = {"KeyMarker": after} if after else {}
        with aws_errors(f"list the versions of s3://{self.name}/{prefix}"):
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, **start):
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
        with (
            aws_errors(f"read s3://{self.name}/{key}"),
            self._client().get_object(Bucket=self.name, Key=key, VersionId=version_id)[
                "Body"
            ] as body,
        ):
            return body.read()

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
        """Return until when Object Lock keeps a version; None without a lock."""
        client = self._client()
        with aws_errors(f"read the retention of s3://{self.name}/{version.key}"):
            try:
                answer = client.get_object_retention(
                    Bucket=self.name, Key=version.key, VersionId=version.id
                )
            except client.exceptions.ClientError as error:
                if error_code(error) in _NOT_LOCKED:
                    return None
                raise
        return answer["Retention"].get("RetainUntilDate")
