"""Files in batches: each is one ingestion, and the same files always make the same batches."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Final

from client import Client, models
from client.cli.files import SourceFile
from client.cli.uploads import upload

INLINE_BYTES: Final = 1024 * 1024
"""A larger file is uploaded to S3 instead of being sent through the gateway."""

_BATCH_BYTES: Final = 3 * 1024 * 1024
"""As base64 and JSON, less than the 6 MB that a function takes."""

_BATCH_FILES: Final = 50

type Batch = list[SourceFile]


def batches(files: Iterable[SourceFile]) -> Iterator[Batch]:
    """Yield the files in batches that fit into a request each."""
    batch: Batch = []
    inline = 0
    for file in files:
        size = file.size if file.size <= INLINE_BYTES else 0
        if batch and (inline + size > _BATCH_BYTES or len(batch) == _BATCH_FILES):
            yield batch
            batch, inline = [], 0
        batch.append(file)
        inline += size
    if batch:
        yield batch


def batch_key(batch: Batch) -> str:
    """Return the idempotency key of a batch, which depends on names and contents only."""
    content = [[file.document_id, file.sha256] for file in batch]
    return f"advisor-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:40]}"


def document(file: SourceFile, client: Client) -> models.IngestedDocument:
    """Return a file as a document of an ingestion; upload its content if it is large."""
    content = file.path.read_bytes()
    if file.size > INLINE_BYTES:
        where = {"upload": upload(client, content, file.content_type)}
    else:
        where = {"data": base64.b64encode(content).decode()}
    return models.IngestedDocument.model_validate(
        {
            "id": file.document_id,
            "content_type": file.content_type,
            # A later run compares the hash, so that it sends only what changed.
            "metadata": {"source": file.name[-500:], "sha256": file.sha256},
            **where,
        }
    )
