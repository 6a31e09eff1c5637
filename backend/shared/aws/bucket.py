"""An S3 bucket: objects with their ETags, and conditional writes with typed conflicts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.aws.clients import aws_errors, error_code
from shared.errors import BadDependency

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_MISSING: Final = frozenset(("NoSuchKey", "404"))
_UNCHANGED: Final = frozenset(("304", "NotModified"))
# S3 answers 404 to If-Match where the object was deleted.
_CHANGED: Final = frozenset(("PreconditionFailed", "412", "NoSuchKey"))
_IN_PROGRESS: Final = frozenset(("ConditionalRequestConflict", "OperationAborted", "409"))

DEFAULT_CONTENT_TYPE: Final = "binary/octet-stream"


class WriteConflict(Exception):
    """A conditional write was refused because of another write to the same object."""


class ObjectChanged(WriteConflict):
    """The object is not the one that the write expected to replace.

    This call may have written it: if S3 stores the object but answers with an error, botocore
    repeats the request, and the second attempt fails. To find out, read the object.
    """


class WriteInProgress(WriteConflict):
    """Another write to the object was in progress; either may have succeeded. Try again."""


class ObjectTooLarge(Exception):
    """The object has more bytes than the caller accepts; its content was not read."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content, and the ETag that identifies it in conditional requests."""

    data: bytes
    etag: str
    content_type: str = DEFAULT_CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a listing describes it; `size` is in bytes."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One page of a listing, in the order of the keys."""

    objects: tuple[ObjectInfo, ...]
    has_more: bool


class Bucket:
    """One bucket. Every method blocks and raises the errors of `aws_errors`.

    Args:
        name: The bucket's name.
        client: Returns the S3 client. Called at each request, so the first request creates it.
    """

    def __init__(self, name: str, client: "Callable[[], S3Client]") -> None:
        self.name = name
        self._client = client

    def get(
        self, key: str, *, known: StoredObject | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Return an object, or None if there is none.

        Args:
            key: The object's key.
            known: The object as it was read before. If it is unchanged, S3 does not send it again
                and `known` itself is returned.
            max_bytes: The largest object to read.

        Raises:
            ObjectTooLarge: The object is larger than `max_bytes`.
        """
        condition: Any = {} if known is None else {"IfNoneMatch": known.etag}
        with aws_errors(f"read s3://{self.name}/{key}"):
            client = self._client()
            try:
                answer = self._get(key, ChecksumMode="ENABLED", **condition)
            except client.exceptions.ClientError as error:
                if error_code(error) in _UNCHANGED:
                    return known
                raise
            if answer is None:
                return None
            with _body(answer) as body:
                if max_bytes is not None and answer["ContentLength"] > max_bytes:
                    raise ObjectTooLarge
                return StoredObject(body.read(), answer["ETag"], answer.get("ContentType", ""))

    @contextmanager
    def open(self, key: str) -> "Iterator[StreamingBody | None]":
        """Give the content of an object to a block that reads it, or None if there is none.

        The block has a checksum of its own to compare: S3's would cost as much time again. An
        object that breaks off is noticed.
        """
        with aws_errors(f"read s3://{self.name}/{key}"):
            answer = self._get(key)
            if answer is None:
                yield None
                return
            with _body(answer) as body:
                yield body

    def _get(self, key: str, **parameters: Any) -> "GetObjectOutputTypeDef | None":
        """Return S3's answer, or None if there is no object."""
        client = self._client()
        try:
            return client.get_object(Bucket=self.name, Key=key, **parameters)
        except client.exceptions.ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    def put(
        self, key: str, data: bytes, *, content_type: str = DEFAULT_CONTENT_TYPE
    ) -> StoredObject:
        """Write an object, whether or not there is one under the key."""
        return self._put(key, data, content_type)

    def put_if_absent(
        self, key: str, data: bytes, *, content_type: str = DEFAULT_CONTENT_TYPE
    ) -> StoredObject:
        """Write an object if there is none under the key.

        Raises:
            WriteConflict: There is one, or another write was in progress.
        """
        return self._put(key, data, content_type, IfNoneMatch="*")

    def put_if_match(
        self, key: str, data: bytes, etag: str, *, content_type: str = DEFAULT_CONTENT_TYPE
    ) -> StoredObject:
        """Replace the object that has this ETag.

        Raises:
            WriteConflict: The object is another one, or gone, or another write was in progress.
        """
        return self._put(key, data, content_type, IfMatch=etag)

    def size(self, key: str) -> int | None:
        """Return the bytes of an object, or None if there is none."""
        client = self._client()
        with aws_errors(f"look up s3://{self.name}/{key}"):
            try:
                return client.head_object(Bucket=self.name, Key=key)["ContentLength"]
            except client.exceptions.ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise

    def presigned_put(self, key: str, headers: Mapping[str, str], *, seconds: int) -> str:
        """Return a URL to which one object can be put without credentials.

        S3 refuses other values of the headers, because they are signed.

        Args:
            key: The object's key.
            headers: `content-length`, `content-type` and `x-amz-checksum-sha256` of the object.
            seconds: How long the URL is valid; less if the signing credentials expire earlier.
        """
        with aws_errors(f"sign a URL of s3://{self.name}/{key}"):
            return self._client().generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self.name,
                    "Key": key,
                    "ContentLength": int(headers["content-length"]),
                    "ContentType": headers["content-type"],
                    "ChecksumSHA256": headers["x-amz-checksum-sha256"],
                },
                ExpiresIn=seconds,
            )

    def delete(self, key: str) -> None:
        """Delete an object; one that does not exist counts as deleted."""
        with aws_errors(f"delete s3://{self.name}/{key}"):
            self._client().delete_object(Bucket=self.name, Key=key)

    def delete_all(self, keys: Sequence[str]) -> None:
        """Delete up to 1,000 objects in no particular order, with one request.

        Raises:
            BadDependency: S3 refused to delete some of them; the others are deleted.
        """
        if not keys:
            return
        with aws_errors(f"delete objects of s3://{self.name}"):
            answer = self._client().delete_objects(
                Bucket=self.name,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
        for failed in answer.get("Errors", []):
            raise BadDependency(
                f"Could not delete s3://{self.name}/{failed.get('Key')}: AWS answered "
                f"{failed.get('Code')}."
            )

    def page(self, prefix: str, *, limit: int = 1000, after: str = "") -> ObjectPage:
        """Return the first objects below a prefix whose keys follow `after`.

        Args:
            prefix: What the keys start with.
            limit: The most objects to return, up to 1,000.
            after: The last key of the page before.
        """
        with aws_errors(f"list s3://{self.name}/{prefix}"):
            answer = self._client().list_objects_v2(
                Bucket=self.name, Prefix=prefix, MaxKeys=limit, StartAfter=after
            )
        return ObjectPage(
            tuple(
                ObjectInfo(entry["Key"], entry["Size"], entry["LastModified"])
                for entry in answer.get("Contents", [])
            ),
            answer.get("IsTruncated", False),
        )

    def objects(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object below a prefix; each 1,000 cost one request."""
        after = ""
        while True:
            page = self.page(prefix, after=after)
            yield from page.objects
            if not (page.has_more and page.objects):
                return
            after = page.objects[-1].key

    def check(self) -> None:
        """Return if the bucket exists and this service may use it, raise if not."""
        with aws_errors(f"reach the bucket {self.name}"):
            self._client().head_bucket(Bucket=self.name)

    def _put(self, key: str, data: bytes, content_type: str, **condition: Any) -> StoredObject:
        client = self._client()
        with aws_errors(f"write s3://{self.name}/{key}"):
            try:
                answer = client.put_object(
                    Bucket=self.name, Key=key, Body=data, ContentType=content_type, **condition
                )
            except client.exceptions.ClientError as error:
                code = error_code(error)
                if condition and code in _CHANGED:
                    raise ObjectChanged from error
                if condition and code in _IN_PROGRESS:
                    raise WriteInProgress from error
                raise
        return StoredObject(data, answer["ETag"], content_type)


def read_version(client: "S3Client", bucket: str, key: str, version_id: str) -> bytes:
    """Return the content of one version of an object; raises the errors of `aws_errors`."""
    with (
        aws_errors(f"read s3://{bucket}/{key}"),
        _body(
            client.get_object(Bucket=bucket, Key=key, VersionId=version_id, ChecksumMode="ENABLED")
        ) as body,
    ):
        return body.read()


def _body(answer: "GetObjectOutputTypeDef") -> "closing[StreamingBody]":
    # Not the body's own context: it gives the raw stream, without checks of what is read.
    return closing(answer["Body"])
