"""What is left of a document in the bucket of the runner's jobs and uploads."""

import json
from collections.abc import Iterator
from typing import Any, Final

from erasure.documents import Remnant, Wanted
from erasure.versions import Version, VersionedBucket
from runner.items import document_id
from shared.ingestion.documents import UPLOADS

_ITEMS: Final = "jobs/items/"
_STATES: Final = "jobs/state/"
_PARTS: Final = "jobs/parts/"


def remnants(bucket: VersionedBucket, wanted: Wanted) -> Iterator[Remnant]:
    """Yield what is left of a document in jobs, in counts of parts, and in uploads."""
    lifecycle = bucket.lifecycle()
    for prefix in (_ITEMS, _STATES, _PARTS, UPLOADS):
        for version in bucket.versions(prefix):
            if what := _found(bucket, prefix, version, wanted):
                current = version.replaced is None
                yield Remnant(
                    version.key,
                    version.id,
                    what,
                    lifecycle.end_of(version),
                    _ADVICE[prefix] if current else "",
                )


_ADVICE: Final = {
    _ITEMS: "its job is open: cancel it, or wait until it ends",
    _STATES: "DELETE /api/ingestions/{id} deletes an ended job at once",
    _PARTS: "a later version of the document needs it; delete the object if there is none",
    UPLOADS: "it is your upload: delete the object",
}


def _found(bucket: VersionedBucket, prefix: str, version: Version, wanted: Wanted) -> str:
    """Return what a version has of the document; empty if nothing."""
    if prefix == _PARTS:
        return "the id" if wanted.matches(version.key.removeprefix(_PARTS)) else ""
    if prefix == UPLOADS:
        return "the original" if wanted.matches(document_id(version.key)) else ""
    try:
        content = json.loads(bucket.read(version))
    except ValueError:
        return "unknown: it is damaged"
    if prefix == _ITEMS:
        return "the document" if any(_names(one, "id", wanted) for one in content) else ""
    errors = content.get("errors", [])
    named = any(_names(one, "document_id", wanted) for one in errors)
    return "the id, with the reason why it failed" if named else ""


def _names(entry: dict[str, Any], field: str, wanted: Wanted) -> bool:
    return wanted.matches(str(entry.get(field, "")))
