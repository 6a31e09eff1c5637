"""Segments: immutable files of documents with their vectors.

    offset  bytes        content
    0       8            magic, "FASEG" and the format's number
    8       8            length H of the header, little-endian
    16      H            header, JSON in UTF-8, padded so that the vectors begin at a multiple of 64
    16 + H  4 * R * D    vectors: R rows of D little-endian float32, each of unit length
    then    the rest     the passages' texts in UTF-8, concatenated

The header is `{"dimensions": D, "deleted": [ids], "columns": {...}, "documents": [...],
"postings": {...}}`. A document's record lists the length in bytes of each of its texts; rows and
texts are in the order of the documents. The fields that follow `columns` begin lines of their own,
so that each line can be read without the others:

* `columns` has the same as `documents`, in less time (`records.py`); `lengths` are those of all
  texts. Only earlier releases read `documents` where there are columns.
* `postings` are decoded when words are first searched for, which writers and queries by meaning
  alone never do. They are in the header, because earlier releases refuse a segment with bytes that
  they do not know, and ignore a field of the header.

Earlier releases wrote headers of one line, without columns, and at first without postings: those
are made from the texts when words are first searched for.

A segment in memory is its file's bytes without the header, read into a place of their own: rows are
a view into the bytes and texts are decoded on demand, so a store takes hardly more memory than its
files are long.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from s3vector.filters import Filter
from s3vector.postings import Postings, decode_postings, make_postings
from s3vector.records import Records, decode_numbers, encode_numbers
from s3vector.store import Document, DocumentRecord, Hit, Passage
from shared.errors import BadDependency

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAGIC = b"FASEG\x00\x00\x01"
_PREAMBLE = 16
_ALIGNMENT = 64
_LINE = b"\n,"  # between the header's lines; a string in JSON has no line end


class CorruptObject(BadDependency):
    """An object in the bucket is damaged. It is not changed."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(
            f"The object {key!r} in the vectors bucket is corrupt ({reason}). Nothing was changed; "
            "restore an earlier version of that object, then try again."
        )
        self.key = key


class Readable(Protocol):
    """A stream of bytes, such as the body of an answer."""

    def read(self, amount: int | None = None, /) -> bytes:
        """Return as many of the next bytes, fewer only at the end; all that are left by default."""


class Segment:
    """A decoded segment.

    `documents` has the number of each document by its id; `deleted` has ids.

    Args:
        key: Its key in the bucket.
        header: The file's header.
        data: The file's bytes after the header.
        size: The length of the whole file.
    """

    def __init__(self, key: str, header: bytes, data: bytes, *, size: int) -> None:
        self.key = key
        self.size = size
        end = header.find(_LINE)
        fields = orjson.loads(header if end < 0 else header[:end] + b"}")
        if "columns" in fields:
            self._records = Records.decode(fields["columns"])
            lengths: Iterable[int] = decode_numbers(fields["columns"]["lengths"])
        else:
            self._records = Records.of(fields["documents"])
            lengths = chain.from_iterable(one["texts"] for one in fields["documents"])
        self.dimensions: int = fields["dimensions"]
        self.deleted = frozenset(fields["deleted"])
        self.documents = self._records.numbers
        self.rows = self._records.count_of_rows
        self._data = data
        self._text_offsets = array(
            "q", accumulate(lengths, initial=4 * self.dimensions * self.rows)
        )
        if self._text_offsets[-1] != len(data) or len(self._text_offsets) != self.rows + 1:
            raise ValueError("its size is not the sum of its parts")
        self._postings: Postings | dict[str, Any] | memoryview | None = (
            fields.get("postings")
            if end < 0
            else memoryview(header)[header.rindex(_LINE) + len(_LINE) :]
        )

    def record(self, document_id: str) -> DocumentRecord:
        """Return the record of a document."""
        return self._records[self.documents[document_id]]

    def rows_of(self, document_id: str) -> range:
        """Return the rows of a document's passages."""
        return self._records.rows(self.documents[document_id])

    def document_of(self, row: int) -> str:
        """Return the id of the document that a row belongs to."""
        return self._records.ids[self._records.number_of(row)]

    def matching_rows(self, where: Filter) -> "NDArray[np.bool]":
        """Whether each row is of a document whose metadata match."""
        return self._records.matching_rows(where)

    @property
    def matrix(self) -> "NDArray[np.float32]":
        """The vectors, a read-only view of shape (rows, dimensions)."""
        import numpy as np

        count = self.rows * self.dimensions
        flat = np.frombuffer(self._data, dtype="<f4", count=count)
        return flat.reshape(self.rows, self.dimensions)

    @property
    def postings(self) -> Postings:
        """The words of the rows.

        Raises:
            CorruptObject: The stored postings do not fit to the rows.
        """
        postings = self._postings
        if not isinstance(postings, Postings):
            with _corruption(self.key):
                if isinstance(postings, memoryview):
                    postings = orjson.loads(b"{" + postings)["postings"]
                postings = decode_postings(postings, rows=self.rows)
            self._postings = postings = postings or make_postings(
                searched_text(record, self._text(row))
                for record in map(self.record, self.documents)
                for row in self.rows_of(record.id)
            )
        return postings

    def _text(self, row: int) -> str:
        start, end = self._text_offsets[row : row + 2]
        return self._data[start:end].decode()

    def document(self, document_id: str, *, vectors: bool) -> Document:
        """Return a document; its passages have vectors only if asked for."""
        return Document(
            self.record(document_id),
            tuple(
                Passage(self._text(row), self._vector(row) if vectors else None)
                for row in self.rows_of(document_id)
            ),
        )

    def hit(
        self,
        document_id: str,
        row: int,
        *,
        score: float | None,
        lexical: float | None,
        fused: float | None,
    ) -> Hit:
        record = self.record(document_id)
        return Hit(
            document_id=record.id,
            number=row - self.rows_of(document_id).start,
            title=record.title,
            text=self._text(row),
            score=score,
            metadata=record.metadata,
            version=record.version,
            lexical=lexical,
            fused=fused,
        )

    def _vector(self, row: int) -> "array[float]":
        start = 4 * self.dimensions * row
        vector = array("f")
        vector.frombytes(self._data[start : start + 4 * self.dimensions])
        return vector


def encode_segment(
    documents: Sequence[Document], deleted: Iterable[str], *, dimensions: int
) -> bytes:
    """Return the bytes of a segment of documents and deleted ids.

    Raises:
        ValueError: A passage has no vector of this dimension.
    """
    import numpy as np

    records, vectors, texts, searched = [], [], [], []
    for document in documents:
        encoded = [passage.text.encode() for passage in document.passages]
        record = document.record
        records.append(
            {
                "id": record.id,
                "title": record.title,
                "metadata": record.metadata,
                "version": record.version,
                "updated_at": record.updated_at,
                "texts": [len(text) for text in encoded],
            }
        )
        texts += encoded
        searched += [searched_text(record, passage.text) for passage in document.passages]
        vectors += [passage.vector for passage in document.passages]
    rows = np.empty((len(vectors), dimensions), dtype="<f4")
    for number, vector in enumerate(vectors):
        if vector is None or len(vector) != dimensions:
            raise ValueError(f"row {number} has no vector of {dimensions} dimensions")
        rows[number] = unit_vector(vector)
    columns = {
        **Records.of(records).encode(),
        "lengths": encode_numbers(len(text) for text in texts),
    }
    fields = (
        {"dimensions": dimensions, "deleted": sorted(deleted), "columns": columns},
        {"documents": records},
        {"postings": make_postings(searched).encode()},
    )
    header = _LINE.join(orjson.dumps(one)[1:-1] for one in fields).join((b"{", b"}"))
    header += b" " * (-(_PREAMBLE + len(header)) % _ALIGNMENT)
    length = len(header).to_bytes(8, "little")
    return b"".join((_MAGIC, length, header, rows.tobytes(), *texts))


def decode_segment(key: str, data: bytes, *, checksum: str) -> Segment:
    """Decode a segment, as `read_segment` does."""
    return read_segment(key, BytesIO(data), checksum=checksum)


def read_segment(key: str, stream: Readable, *, checksum: str) -> Segment:
    """Read and decode a segment.

    Raises:
        CorruptObject: Its SHA-256 is not `checksum`, or its format is unknown.
    """
    preamble = stream.read(_PREAMBLE)
    length = min(int.from_bytes(preamble[len(_MAGIC) :], "little"), sys.maxsize)
    header = stream.read(length)
    data = stream.read()
    digest = sha256(preamble)
    digest.update(header)
    digest.update(data)
    size = len(preamble) + len(header) + len(data)
    if digest.hexdigest() != checksum:
        raise CorruptObject(key, f"its {size} bytes do not have the manifest's checksum")
    with _corruption(key):
        if not preamble.startswith(_MAGIC):
            raise ValueError("its format is unknown to this version")
        return Segment(key, header, data, size=size)


@contextmanager
def _corruption(key: str) -> Iterator[None]:
    """Raise the errors of decoding an object as `CorruptObject`."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CorruptObject(key, str(error)) from error


def searched_text(record: DocumentRecord, text: str) -> str:
    """Return what words are searched in: a passage with its document's title."""
    return f"{record.title}\n{text}" if record.title else text


def unit_vector(vector: Sequence[float]) -> "NDArray[np.float32]":
    """Return the vector scaled to length 1.

    Raises:
        ValueError: All numbers are zero, or one is not finite.
    """
    import numpy as np

    # Divide by the largest number first: the square of a large number would overflow.
    exact = np.asarray(vector, dtype=np.float64)
    largest = np.abs(exact).max(initial=0.0)
    if not 0 < largest < np.inf:
        raise ValueError("a vector needs finite numbers that are not all zero")
    exact = exact / largest
    unit: NDArray[np.float32] = (exact / np.linalg.norm(exact)).astype(np.float32)
    return unit
