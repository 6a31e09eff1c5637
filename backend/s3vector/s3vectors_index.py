"""An index of Amazon S3 Vectors: calls to its API, in batches within the API's limits.

Each vector is a passage. All fields except the caller's metadata are JSON under one metadata key,
`_passage`. The index must declare this key as non-filterable, since filterable metadata is limited
to 2 KB, and must use the cosine metric. Neither can be changed once the index exists.
"""

import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from s3vector.filters import Filter
from s3vector.pool import Pool
from s3vector.segments import unit_vector
from s3vector.store import Document, DocumentRecord, Vector
from shared.aws.clients import aws_errors, error_code
from shared.errors import BadDependency, Conflict, InvalidRequest

if TYPE_CHECKING:
    from mypy_boto3_s3vectors import S3VectorsClient
    from mypy_boto3_s3vectors.type_defs import ListVectorsInputTypeDef, QueryVectorsInputTypeDef

PASSAGE_KEY: Final = "_passage"
"""The metadata key that the index must declare as non-filterable."""

MAX_LIST: Final = 1000
MAX_TOP_K: Final = 100

_PUT_BATCH: Final = 500
_GET_BATCH: Final = 100
_DELETE_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the index returned it; `write` is the id of the write that stored it."""

    key: str
    number: int
    write: str
    text: str
    space: str
    record: DocumentRecord
    vector: Vector | None
    distance: float

    @property
    def keys(self) -> list[str]:
        """The keys of all passages of the document in this write."""
        return _keys(self.record.id, self.write, self.record.passages)


class VectorIndex:
    """An index. Every method blocks and raises the errors of `aws_errors`.

    Args:
        bucket: Name of the vector bucket.
        name: Name of the index.
        space: The model and dimension of the vectors; an index has one space only.
        client: Returns the S3 Vectors client.
        pool: Runs several reads at once.
    """

    def __init__(
        self,
        bucket: str,
        name: str,
        *,
        space: str,
        client: "Callable[[], S3VectorsClient]",
        pool: Pool,
    ) -> None:
        self._bucket = bucket
        self._name = name
        self._space = space
        self._client = client
        self._pool = pool

    def get(self, keys: Sequence[str], *, vectors: bool = False) -> list[StoredPassage]:
        """Return the vectors that exist among these keys."""

        def get(batch: Sequence[str]) -> list[StoredPassage]:
            with aws_errors(f"read vectors of the index {self._name}"):
                answer = self._client().get_vectors(
                    vectorBucketName=self._bucket,
                    indexName=self._name,
                    keys=list(batch),
                    returnMetadata=True,
                    returnData=vectors,
                )
            return [self._stored_passage(one) for one in answer["vectors"]]

        batches = list(batched(keys, _GET_BATCH, strict=False))
        return [one for found in self._pool.map(get, batches) for one in found]

    def put(self, vectors: Sequence[dict[str, Any]]) -> None:
        """Write vectors made by `vector`, replacing those with the same keys."""
        for batch in batched(vectors, _PUT_BATCH, strict=False):
            with aws_errors(f"write vectors to the index {self._name}"):
                self._client().put_vectors(
                    vectorBucketName=self._bucket,
                    indexName=self._name,
                    vectors=list(batch),  # type: ignore[arg-type]
                )

    def delete(self, keys: Sequence[str]) -> None:
        """Delete vectors; those that do not exist count as deleted."""
        for batch in batched(keys, _DELETE_BATCH, strict=False):
            with aws_errors(f"delete vectors of the index {self._name}"):
                self._client().delete_vectors(
                    vectorBucketName=self._bucket, indexName=self._name, keys=list(batch)
                )

    def list(self, limit: int, cursor: str | None) -> tuple[Sequence[StoredPassage], str | None]:
        """Return one page of vectors in the engine's order, and the next cursor."""
        request: ListVectorsInputTypeDef = {
            "vectorBucketName": self._bucket,
            "indexName": self._name,
            "maxResults": limit,
            "returnMetadata": True,
        }
        if cursor is not None:
            request["nextToken"] = cursor
        with aws_errors(f"list the vectors of the index {self._name}"):
            client = self._client()
            try:
                answer = client.list_vectors(**request)
            except client.exceptions.ClientError as error:
                if cursor is not None and error_code(error) == "ValidationException":
                    raise InvalidRequest(
                        "cursor: not a cursor of this service, or expired; omit it to start at the "
                        "first page."
                    ) from error
                raise
        return [self._stored_passage(one) for one in answer["vectors"]], answer.get("nextToken")

    def query(
        self, vector: Sequence[float], top_k: int, where: Filter | None
    ) -> Sequence[StoredPassage]:
        """Return the nearest vectors, nearest first."""
        request: QueryVectorsInputTypeDef = {
            "vectorBucketName": self._bucket,
            "indexName": self._name,
            "topK": top_k,
            # Scaled to length 1, because a caller's float64 may not fit into a float32.
            "queryVector": {"float32": unit_vector(vector).tolist()},
            "returnMetadata": True,
            "returnDistance": True,
        }
        if where is not None:
            request["filter"] = where.to_s3vectors()
        with aws_errors(f"query the index {self._name}"):
            answer = self._client().query_vectors(**request)
        return [self._stored_passage(one) for one in answer["vectors"]]

    def vector(self, document: Document, write: str, number: int) -> dict[str, Any]:
        """Return passage `number` of a document as the API's `vectors` entry."""
        record, passage = document.record, document.passages[number]
        if passage.vector is None:
            raise ValueError(f"passage {number} of {record.id} has no vector")
        stored = {
            "id": record.id,
            "title": record.title,
            "version": record.version,
            "updated_at": record.updated_at,
            "passages": record.passages,
            "number": number,
            "write": write,
            "space": self._space,
            "text": passage.text,
        }
        return {
            "key": _keys(record.id, write, record.passages)[number],
            "data": {"float32": unit_vector(passage.vector).tolist()},
            "metadata": {
                **record.metadata,
                PASSAGE_KEY: json.dumps(stored, ensure_ascii=False, separators=(",", ":")),
            },
        }

    def _stored_passage(self, answer: Any) -> StoredPassage:
        try:
            metadata = dict(answer["metadata"])
            fields = json.loads(metadata.pop(PASSAGE_KEY))
            space = fields["space"]
            stored = StoredPassage(
                key=answer["key"],
                number=fields["number"],
                write=fields["write"],
                text=fields["text"],
                space=space,
                record=DocumentRecord(
                    id=fields["id"],
                    title=fields["title"],
                    metadata=metadata,
                    version=fields["version"],
                    updated_at=fields["updated_at"],
                    passages=fields["passages"],
                ),
                vector=array("f", data["float32"]) if (data := answer.get("data")) else None,
                distance=answer.get("distance") or 0.0,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadDependency(
                f"The vector {answer['key']!r} of the index {self._name} was not written by this "
                "service; delete it, or name another index in VECTOR_INDEX_NAME."
            ) from error
        if space != self._space:
            raise Conflict(
                f"The index {self._name} contains vectors of {space}, but this service makes "
                f"vectors of {self._space}; they cannot be compared. Set BEDROCK_MODEL_ID and "
                "EMBEDDING_DIMENSIONS back, or name another index in VECTOR_INDEX_NAME."
            )
        return stored

    def check(self) -> None:
        """Return if the index can be reached and has the right dimension, raise if not."""
        with aws_errors(f"reach the index {self._name} of the vector bucket {self._bucket}"):
            index = self._client().get_index(vectorBucketName=self._bucket, indexName=self._name)[
                "index"
            ]
        dimensions = int(self._space.rpartition("/")[2])
        if index["dimension"] != dimensions or index["distanceMetric"] != "cosine":
            raise Conflict(
                f"The index {self._name} has {index['dimension']} dimensions and the metric "
                f"{index['distanceMetric']}; this service needs {dimensions} and cosine. Set "
                "EMBEDDING_DIMENSIONS, or name another index in VECTOR_INDEX_NAME."
            )


def _keys(document_id: str, write: str, passages: int) -> list[str]:
    return [document_id, *(f"{document_id}#{write}#{number}" for number in range(1, passages))]
