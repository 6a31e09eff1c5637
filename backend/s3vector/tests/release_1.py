"""How release 1.0 reads a store: its rules, written down anew and never changed.

What this module cannot read would be lost to a rollback.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

_MANIFEST = "documents/manifest.json"


def texts(objects: Mapping[str, bytes]) -> dict[str, str]:
    """Return the text of each live document, its passages joined by a line end."""
    if _MANIFEST not in objects:
        return {}
    manifest = decode_manifest(objects[_MANIFEST])
    found: dict[str, str] = {}
    for entry in manifest["segments"]:
        data = objects[entry["key"]]
        assert sha256(data).hexdigest() == entry["checksum"]
        assert len(data) == entry["size"]
        documents, deleted = decode_segment(data, manifest["dimensions"])
        for one in deleted:
            found.pop(one, None)
        found |= {key: "\n".join(passages) for key, passages in documents.items()}
    return found


def decode_manifest(data: bytes) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(data)
    assert manifest["format"] == 1
    assert isinstance(manifest["space"], str)
    assert isinstance(manifest["created_at"], str)
    assert all(isinstance(one, str) for one in manifest["commits"])
    for entry in manifest["segments"]:
        assert set(entry) == {"key", "checksum", "size", "passages"}
        assert isinstance(entry["size"], int)
        assert isinstance(entry["passages"], int)
    return manifest


def decode_segment(data: bytes, dimensions: int) -> tuple[dict[str, list[str]], list[str]]:
    """Return the passages of each document, and the deleted ids."""
    assert data[:8] == b"FASEG\x00\x00\x01"
    vectors_at = 16 + int.from_bytes(data[8:16], "little")
    header = json.loads(data[16:vectors_at])
    assert header["dimensions"] == dimensions
    rows = sum(len(one["texts"]) for one in header["documents"])
    offset = vectors_at + 4 * dimensions * rows
    documents: dict[str, list[str]] = {}
    for one in header["documents"]:
        assert {"id", "title", "metadata", "version", "updated_at"} <= set(one)
        passages = []
        for length in one["texts"]:
            passages.append(data[offset : offset + length].decode())
            offset += length
        documents[one["id"]] = passages
    assert offset == len(data)
    assert len(documents) == len(header["documents"])
    return documents, header["deleted"]
