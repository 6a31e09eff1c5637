"""How many parts each long document has in the store, so that a shorter one leaves none behind."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from shared.aws.clients import aws_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class PartCounts(Protocol):
    """Counts of parts by document id; a document that was never cut counts 1."""

    def get(self, document_id: str) -> int:
        """Return how many parts of a document may be in the store."""

    def put(self, document_id: str, parts: int) -> None:
        """Remember how many parts of a document may be in the store."""


class S3PartCounts:
    """Counts in a bucket, under `jobs/parts/`; see `PartCounts`."""

    def __init__(self, bucket: str, client: "Callable[[], S3Client]") -> None:
        self._bucket = bucket
        self._client = client

    def get(self, document_id: str) -> int:
        """Return how many parts of a document may be in the store."""
        from botocore.exceptions import ClientError

        with aws_errors(f"read the number of parts of {document_id}"):
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=_key(document_id))
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return 1
                raise
            content = answer["Body"].read()
        # A damaged count only leaves parts behind that it would have found.
        return int(content) if content.isdigit() and len(content) < 7 else 1

    def put(self, document_id: str, parts: int) -> None:
        """Remember how many parts of a document may be in the store."""
        with aws_errors(f"store the number of parts of {document_id}"):
            if parts > 1:
                self._client().put_object(
                    Bucket=self._bucket, Key=_key(document_id), Body=str(parts).encode()
                )
            else:
                self._client().delete_object(Bucket=self._bucket, Key=_key(document_id))


def part_id(document_id: str, part: int) -> str:
    """Return the id of a part, counted from 1: the document's own for the first."""
    return document_id if part == 1 else f"{document_id}:p{part}"


def _key(document_id: str) -> str:
    return f"jobs/parts/{document_id}"
