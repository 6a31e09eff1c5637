"""The few S3 calls that a store is made of, with their errors in our terms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.aws.clients import aws_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

# S3 answers 404 to If-Match on an object that was deleted, and 409 when two conditional writes
# meet: each means that what this write built on is no longer known to hold.
_OUTDATED = frozenset(("PreconditionFailed", "412", "ConditionalRequestConflict", "NoSuchKey"))
_MISSING = frozenset(("NoSuchKey", "404"))
_UNCHANGED = frozenset(("304", "NotModified"))


class Outdated(Exception):
    """A conditional write found another object than the one it was to replace."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content, and the ETag that stands for it in conditional requests."""

    data: bytes
    etag: str


class Bucket:
    """One bucket; the client is made at the first call, not before."""

    def __init__(self, name: str, client: "Callable[[], S3Client]") -> None:
        self.name = name
        self._client = client

    def read(self, key: str, *, known: StoredObject | None = None) -> StoredObject | None:
        """Return an object, `known` itself if it is still the same, None if there is none."""
        from botocore.exceptions import ClientError

        with aws_errors(f"read s3://{self.name}/{key}"):
            try:
                if known is None:
                    answer = self._client().get_object(Bucket=self.name, Key=key)
                else:
                    answer = self._client().get_object(
                        Bucket=self.name, Key=key, IfNoneMatch=known.etag
                    )
                return StoredObject(answer["Body"].read(), answer["ETag"])
            except ClientError as error:
                code = error_code(error)
                if code in _UNCHANGED:
                    return known
                if code in _MISSING:
                    return None
                raise

    def write(self, key: str, data: bytes) -> None:
        """Write an object under a name that nobody else uses."""
        with aws_errors(f"write s3://{self.name}/{key}"):
            self._client().put_object(Bucket=self.name, Key=key, Body=data)

    def replace(self, key: str, data: bytes, *, known: StoredObject | None) -> StoredObject:
        """Write an object in the place of `known`, or where there was none.

        Raises:
            Outdated: There is another one by now, possibly by this very write: S3 may have
                carried out a write that it answered with an error, and that was then repeated.
        """
        from botocore.exceptions import ClientError

        request: PutObjectRequestTypeDef = {"Bucket": self.name, "Key": key, "Body": data}
        if known is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = known.etag
        with aws_errors(f"write s3://{self.name}/{key}"):
            try:
                answer = self._client().put_object(**request)
            except ClientError as error:
                if error_code(error) in _OUTDATED:
                    raise Outdated from error
                raise
            return StoredObject(data, answer["ETag"])

    def delete(self, keys: Sequence[str]) -> None:
        """Delete up to 1,000 objects; those that do not exist count as deleted."""
        if keys:
            with aws_errors(f"delete objects of s3://{self.name}"):
                self._client().delete_objects(
                    Bucket=self.name,
                    Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
                )

    def written_between(self, start: datetime, end: datetime, prefix: str) -> list[str]:
        """Return keys below a prefix that were written then; of the first 1,000 only."""
        with aws_errors(f"list s3://{self.name}/{prefix}"):
            answer = self._client().list_objects_v2(Bucket=self.name, Prefix=prefix)
        contents = answer.get("Contents", [])
        return [one["Key"] for one in contents if start <= one["LastModified"] < end]

    def check(self) -> None:
        """Return when the bucket exists and may be used, raise when not."""
        with aws_errors(f"reach the bucket {self.name}"):
            self._client().head_bucket(Bucket=self.name)
