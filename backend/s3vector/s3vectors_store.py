"""The `s3vectors` store: Amazon S3 Vectors, for what outgrows one function's memory.

The engine replaces one vector at a time; a document is many. So each write of a document gets
keys of its own, `{id}#{write}#{number}`, except for its first passage, whose key is the id. That
one is written last and names the write that holds: replacing it replaces the document. A query
drops passages whose write is not the one that holds; what a failed or overtaken write leaves is
never seen, and removed as far as it is known.

The index needs the cosine metric and the non-filterable metadata key `_passage`, which holds
everything about a passage that is not the caller's metadata. Both are fixed when it is made.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from s3vector.filters import Filter
from s3vector.pool import Pool
from s3vector.segments import unit_vector
from s3vector.store import Document, DocumentRecord, Hit, Page, Passage, StoreStats
from shared.aws import aws_errors, error_code
from shared.errors import BadDependency, Conflict, InvalidRequest, ServiceError, Unavailable
from shared.logging import get_logger

if TYPE_CHECKING:
    from mypy_boto3_s3vectors import S3VectorsClient
    from mypy_boto3_s3vectors.type_defs import ListVectorsInputTypeDef, QueryVectorsInputTypeDef

_log = get_logger(__name__)

PASSAGE_KEY: Final = "_passage"
"""The metadata key that the index must declare as non-filterable."""

_PUT_BATCH: Final = 500
_GET_BATCH: Final = 100
_DELETE_BATCH: Final = 500
_LIST_PAGE: Final = 1000
_MAX_TOP_K: Final = 100
# Passages of overtaken writes take places among the nearest; as many more are asked for.
_SPARE: Final = 20
_READ_ATTEMPTS: Final = 3
_QUERY_ATTEMPTS: Final = 2
_LEFTOVER_AGE: Final = timedelta(hours=1)
_MAX_LIST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class _Stored:
    """A vector as the engine returned it."""

    key: str
    number: int
    write: str
    text: str
    space: str
    record: DocumentRecord
    vector: "array[float] | None"
    distance: float

    @property
    def keys(self) -> list[str]:
        """The keys of all passages of its document, of this write."""
        return _keys(self.record.id, self.write, self.record.passages)


class S3VectorsStore:
    """Documents in an index of Amazon S3 Vectors.

    Args:
        bucket: Name of the vector bucket.
        index: Name of the index; its dimension is that of the vectors.
        space: Names the model and dimension of the vectors; an index holds one space only.
        client: Returns the boto3 client.
        pool: Runs several reads at once.
    """

    def __init__(
        self,
        bucket: str,
        index: str,
        *,
        space: str,
        client: "Callable[[], S3VectorsClient]",
        pool: Pool,
    ) -> None:
        self._bucket = bucket
        self._index = index
        self._space = space
        self._client = client
        self._pool = pool

    def put(self, documents: Sequence[Document]) -> None:
        heads = self._heads([one.record.id for one in documents])
        write = uuid4().hex
        bodies = [
            self._vector(document, write, number)
            for document in documents
            for number in range(1, len(document.passages))
        ]
        firsts = [self._vector(document, write, 0) for document in documents]
        try:
            self._put(bodies)
        except ServiceError:
            self._remove([body["key"] for body in bodies])
            raise
        self._put(firsts)
        self._remove([key for head in heads.values() for key in head.keys if key != head.record.id])

    def get(self, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Document]:
        found: dict[str, Document] = {}
        wanted = list(dict.fromkeys(ids))
        for _ in range(_READ_ATTEMPTS):
            heads = self._heads(wanted)
            keys = [key for head in heads.values() for key in head.keys]
            held = {one.key: one for one in self._get(keys, vectors=vectors)}
            for document_id, head in heads.items():
                parts = [held.get(key) for key in head.keys]
                whole = [one for one in parts if one is not None and one.write == head.write]
                if len(whole) == len(parts):
                    passages = tuple(Passage(one.text, one.vector) for one in whole)
                    found[document_id] = Document(head.record, passages)
            # What is missing was replaced between the two reads.
            wanted = [one for one in wanted if one in heads and one not in found]
            if not wanted:
                return found
        raise Unavailable(
            "The documents change faster than they can be read; try again.", retry_after=1
        )

    def delete(self, document_id: str) -> bool:
        head = self._heads([document_id]).get(document_id)
        if head is None:
            return False
        self._delete([document_id])  # from here on nobody sees it
        self._remove(head.keys[1:])
        return True

    def page(self, limit: int, cursor: str | None) -> Page:
        records: list[DocumentRecord] = []
        for _ in range(_MAX_LIST_PAGES):
            # Never more than is still wanted: the engine's token cannot point into a page.
            found, cursor = self._list(min(limit - len(records), _LIST_PAGE), cursor)
            records += [one.record for one in found if one.number == 0]
            if cursor is None or len(records) >= limit:
                break
        return Page(tuple(records), cursor)

    def query(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[Hit]:
        asked = min(top_k + _SPARE, _MAX_TOP_K)
        for _ in range(_QUERY_ATTEMPTS):
            found = self._query(vector, asked, where)
            heads = self._heads([one.record.id for one in found])
            hits, overtaken = _divided(found, heads)
            seen = {one.record.id for one in hits}
            # A document of which every passage was overtaken may have been replaced between the
            # two reads: its new passages are to be looked at too.
            if all(one.record.id in seen or one.record.id not in heads for one in overtaken):
                break
        self._remove_leftovers(overtaken)
        hits.sort(key=lambda one: (one.distance, one.record.id, one.number))
        return [
            Hit(
                document_id=one.record.id,
                number=one.number,
                title=one.record.title,
                text=one.text,
                score=min(1.0, max(-1.0, 1.0 - one.distance)),
                metadata=one.record.metadata,
            )
            for one in hits[:top_k]
        ]

    def stats(self) -> StoreStats:
        self.check()
        return StoreStats("s3vectors", None, None, None, None, None)

    def check(self) -> None:
        with aws_errors(f"reach the index {self._index} of the vector bucket {self._bucket}"):
            index = self._client().get_index(vectorBucketName=self._bucket, indexName=self._index)[
                "index"
            ]
        dimensions = int(self._space.rpartition("/")[2])
        if index["dimension"] != dimensions or index["distanceMetric"] != "cosine":
            raise Conflict(
                f"The index {self._index} has {index['dimension']} dimensions and the metric "
                f"{index['distanceMetric']}, this service needs {dimensions} and cosine: set "
                "EMBEDDING_DIMENSIONS, or name another index in VECTOR_INDEX_NAME."
            )

    # The engine's calls, within its limits

    def _heads(self, ids: Iterable[str]) -> dict[str, _Stored]:
        """The first passages of those documents that exist, by document."""
        return {one.record.id: one for one in self._get(list(dict.fromkeys(ids)), vectors=False)}

    def _get(self, keys: Sequence[str], *, vectors: bool) -> list[_Stored]:
        def get(batch: Sequence[str]) -> list[_Stored]:
            with aws_errors(f"read vectors of the index {self._index}"):
                answer = self._client().get_vectors(
                    vectorBucketName=self._bucket,
                    indexName=self._index,
                    keys=list(batch),
                    returnMetadata=True,
                    returnData=vectors,
                )
            return [self._stored(one) for one in answer["vectors"]]

        batches = list(batched(keys, _GET_BATCH, strict=False))
        return [one for found in self._pool.map(get, batches) for one in found]

    def _put(self, vectors: Sequence[dict[str, Any]]) -> None:
        for batch in batched(vectors, _PUT_BATCH, strict=False):
            with aws_errors(f"write vectors to the index {self._index}"):
                self._client().put_vectors(
                    vectorBucketName=self._bucket,
                    indexName=self._index,
                    vectors=list(batch),  # type: ignore[arg-type]
                )

    def _delete(self, keys: Sequence[str]) -> None:
        for batch in batched(keys, _DELETE_BATCH, strict=False):
            with aws_errors(f"delete vectors of the index {self._index}"):
                self._client().delete_vectors(
                    vectorBucketName=self._bucket, indexName=self._index, keys=list(batch)
                )

    def _remove(self, keys: Sequence[str]) -> None:
        """Delete what nobody sees any more; what is left costs its storage, nothing else."""
        try:
            self._delete(keys)
        except ServiceError as error:
            _log.warning("vectors_left_behind", vectors=len(keys), detail=error.detail)

    def _remove_leftovers(self, overtaken: Sequence[_Stored]) -> None:
        """Delete passages of writes that failed or were overtaken long ago."""
        # No write takes nearly so long between its first passage and its last.
        limit = datetime.now(UTC) - _LEFTOVER_AGE
        keys = [
            one.key for one in overtaken if datetime.fromisoformat(one.record.updated_at) < limit
        ]
        if keys:
            self._remove(keys)

    def _list(self, limit: int, cursor: str | None) -> tuple[list[_Stored], str | None]:
        from botocore.exceptions import ClientError

        request: ListVectorsInputTypeDef = {
            "vectorBucketName": self._bucket,
            "indexName": self._index,
            "maxResults": limit,
            "returnMetadata": True,
        }
        if cursor is not None:
            request["nextToken"] = cursor
        with aws_errors(f"list the vectors of the index {self._index}"):
            try:
                answer = self._client().list_vectors(**request)
            except ClientError as error:
                if cursor is not None and error_code(error) == "ValidationException":
                    raise InvalidRequest(
                        "cursor: not one that this service gave, or too old; begin without it."
                    ) from error
                raise
        return [self._stored(one) for one in answer["vectors"]], answer.get("nextToken")

    def _query(self, vector: Sequence[float], top_k: int, where: Filter | None) -> list[_Stored]:
        request: QueryVectorsInputTypeDef = {
            "vectorBucketName": self._bucket,
            "indexName": self._index,
            "topK": top_k,
            # Scaled, so that any float64 of the caller's is a float32 of the engine's.
            "queryVector": {"float32": unit_vector(vector).tolist()},
            "returnMetadata": True,
            "returnDistance": True,
        }
        if where is not None:
            request["filter"] = where.to_s3vectors()
        with aws_errors(f"query the index {self._index}"):
            answer = self._client().query_vectors(**request)
        return [self._stored(one) for one in answer["vectors"]]

    # Passages as vectors

    def _vector(self, document: Document, write: str, number: int) -> dict[str, Any]:
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

    def _stored(self, answer: Any) -> _Stored:
        try:
            metadata = dict(answer["metadata"])
            fields = json.loads(metadata.pop(PASSAGE_KEY))
            space = fields["space"]
            stored = _Stored(
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
                f"The vector {answer['key']!r} of the index {self._index} is not one that this "
                "service wrote; delete it, or name another index in VECTOR_INDEX_NAME."
            ) from error
        if space != self._space:
            raise Conflict(
                f"The index {self._index} holds vectors of {space}, this service makes those of "
                f"{self._space}; they cannot be compared: set BEDROCK_MODEL_ID and "
                "EMBEDDING_DIMENSIONS back, or name another index in VECTOR_INDEX_NAME."
            )
        return stored


def _divided(
    found: Sequence[_Stored], heads: Mapping[str, _Stored]
) -> tuple[list[_Stored], list[_Stored]]:
    """Those passages that hold, and those of other writes than the one that holds."""
    hits: list[_Stored] = []
    overtaken: list[_Stored] = []
    for one in found:
        head = heads.get(one.record.id)
        (hits if head is not None and head.write == one.write else overtaken).append(one)
    return hits, overtaken


def _keys(document_id: str, write: str, passages: int) -> list[str]:
    return [document_id, *(f"{document_id}#{write}#{number}" for number in range(1, passages))]
