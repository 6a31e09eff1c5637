"""Brings a Terraform state back to an earlier version, under the lock that Terraform uses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from typing import Any, Final, Self
from uuid import uuid4

from botocore.exceptions import ClientError

from deploy.program import Refused
from deploy.restoration.history import CHANGED, Version, histories

_MOST_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class State:
    """A version of a state, and what it says."""

    version: Version
    body: bytes
    lineage: str
    serial: int
    resources: int

    @classmethod
    def parse(cls, version: Version, body: bytes) -> Self:
        """Read a state.

        Raises:
            ValueError: It is damaged.
        """
        try:
            content = json.loads(body)
            if content["version"] != 4:
                raise ValueError("it is not in version 4 of the format")
            resources = len(content["resources"])
            return cls(version, body, str(content["lineage"]), int(content["serial"]), resources)
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error

    def __str__(self) -> str:
        """Describe the state in one line."""
        return (
            f"version {self.version.id} of {self.version.modified.isoformat()}: serial "
            f"{self.serial}, {self.resources} resources"
        )


class StateObject:
    """The object in which an environment's state is stored.

    Args:
        s3: A client of S3.
        bucket: The state bucket.
        key: The state's key.
    """

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key

    def at(self, time: datetime) -> State:
        """Return the state as it was at a time.

        Raises:
            Refused: There was none, it is damaged, or it is too large.
        """
        version = next((one for one in self._versions() if one.modified <= time), None)
        if version is None or version.is_marker:
            raise Refused(
                f"{self._key} has no version of {time.isoformat()} or before. It has:\n"
                + self._listing()
            )
        if version.size > _MOST_BYTES:
            raise Refused(f"version {version.id} of {self._key} is larger than any state")
        try:
            return State.parse(version, self._read(version))
        except ValueError as error:
            raise Refused(
                f"the version {version.id} of {self._key} is damaged ({error}). Choose a time "
                "before it. There are:\n" + self._listing()
            ) from error

    def is_current(self, state: State) -> bool:
        """Return whether Terraform reads exactly this state now."""
        current = next(iter(self._versions()), None)
        if current is None or current.is_marker or current.size != len(state.body):
            return False
        return self._read(current) == state.body

    def restore(self, state: State) -> None:
        """Write an earlier state again, as a new version.

        Raises:
            Refused: Somebody holds Terraform's lock.
        """
        with self._lock():
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=state.body,
                ContentType="application/json",
            )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        key = f"{self._key}.tflock"
        lock = {
            "ID": str(uuid4()),
            "Operation": "restore",
            "Info": "",
            "Who": getuser(),
            "Version": "",
            "Created": datetime.now(UTC).isoformat(),
            "Path": f"{self._bucket}/{self._key}",
        }
        try:
            self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=json.dumps(lock).encode(), IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in CHANGED:
                raise
            raise Refused(
                f"{self._key} is locked: a plan or an apply is running, or one was killed. Wait; "
                "then `terraform force-unlock ID`, and run this again"
            ) from None
        try:
            yield
        finally:
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _versions(self) -> tuple[Version, ...]:
        # The lock's key begins with the state's, so more than one key is found.
        found = histories(self._s3, self._bucket, self._key)
        return next((one.versions for one in found if one.key == self._key), ())

    def _read(self, version: Version) -> bytes:
        read = self._s3.get_object(Bucket=self._bucket, Key=self._key, VersionId=version.id)
        return bytes(read["Body"].read(_MOST_BYTES))

    def _listing(self) -> str:
        lines = [
            f"  {one.modified.isoformat()}  "
            + ("deleted" if one.is_marker else f"{one.size} bytes, version {one.id}")
            for one in self._versions()[:20]
        ]
        return "\n".join(lines) or "  no version at all"
