"""What is left of a document: which object says what of it, and when that goes."""

from dataclasses import dataclass
from datetime import datetime

from shared.ingestion.parts import document_of


@dataclass(frozen=True, slots=True)
class Remnant:
    """An object version that still has the text of a document, or its id.

    Attributes:
        key: The object's key.
        version: The id of the version.
        what: What it has.
        ends: When S3 deletes it for good; None if nothing does.
        advice: What comes first, or what to do; empty for an old version, which only waits.
    """

    key: str
    version: str
    what: str
    ends: datetime | None
    advice: str = ""


class Wanted:
    """A document by the id that callers use: every owner's, whole or in parts."""

    def __init__(self, document_id: str) -> None:
        self._id = document_id

    def matches(self, stored_id: str) -> bool:
        """Return whether an id in a store is this document's, or one of its parts'."""
        public = stored_id.rpartition("/")[2]
        return self._id in (public, document_of(public))
