"""Fakes of the service's ports, and small documents."""

import re
import threading
from array import array
from collections.abc import Mapping, Sequence
from hashlib import sha256

from s3vector.settings import Settings
from s3vector.store import Document, DocumentRecord, Passage, Vector
from shared.documents import MetadataValue

DIMENSIONS = 32
SPACE = f"fake-model/{DIMENSIONS}"

SETTINGS = Settings(
    project_name="fin-advisor",
    environment="test",
    service_name="s3vector",
    log_level="ERROR",
    api_gateway_url="http://127.0.0.1:9/test",
    vector_bucket_name="fin-advisor-test-vectors",
    max_passages_per_request=1000,
    enable_service_api_keys=False,
)


def hashed_vector(text: str, dimensions: int = DIMENSIONS) -> Vector:
    """Return a vector of length 1; texts that share words get similar vectors."""
    vector = array("f", bytes(4 * dimensions))
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = sha256(word.encode()).digest()
        position = int.from_bytes(digest[:4], "big") % dimensions
        vector[position] += 1.0 if digest[4] % 2 else -1.0
    if not any(vector):  # the words cancelled each other out
        vector[0] = 1.0
    length = sum(one * one for one in vector) ** 0.5
    return array("f", [one / length for one in vector])


class FakeEmbedder:
    """An `Embedder` in memory; `asked` lists the texts that it embedded."""

    def __init__(self, dimensions: int = DIMENSIONS, model_id: str = "fake-model") -> None:
        self.model_id = model_id
        self.dimensions = dimensions
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        with self._lock:
            self.asked += texts
        return [hashed_vector(text, self.dimensions) for text in texts]


def document(
    document_id: str,
    *texts: str,
    title: str | None = None,
    metadata: Mapping[str, MetadataValue] | None = None,
    vectors: Sequence[Sequence[float]] | None = None,
    version: str = "v1",
    updated_at: str = "2026-01-01T00:00:00.000Z",
) -> Document:
    """Return a document with these passages, by default one that contains the id."""
    texts = texts or (f"text of {document_id}",)
    made = [array("f", one) for one in vectors] if vectors else [hashed_vector(t) for t in texts]
    record = DocumentRecord(
        id=document_id,
        title=title,
        metadata=metadata or {},
        version=version,
        updated_at=updated_at,
        passages=len(texts),
    )
    return Document(record, tuple(map(Passage, texts, made)))
