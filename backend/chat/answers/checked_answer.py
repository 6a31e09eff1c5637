"""The result of a check: the answer that remains, its citations, and what was removed."""

from dataclasses import dataclass
from typing import Literal

from chat.answers.claims import Reason
from chat.answers.rendering import Span

Status = Literal["answered", "partial", "unknown", "incomplete"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence or table row of a passage that proves parts of the answer.

    Attributes:
        marker: The number of `[1]` in the answer.
        quote: `passage.text[start:end]`, verbatim.
        spans: The parts of the answer, in Unicode code points, half-open.
    """

    marker: int
    document_id: str
    passage_id: str
    title: str | None
    page: int | None
    as_of: str | None
    quote: str
    start: int
    end: int
    spans: tuple[Span, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Removed:
    """A unit that was removed, without its markers."""

    text: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Piece:
    """One unit of the completion: where it is in the answer, or that it was removed.

    Attributes:
        start: Where the piece before it ends, so that pieces include the space between them.
        removed: None for a unit that was kept; otherwise `start` and `end` are equal.
    """

    start: int
    end: int
    removed: Removed | None = None


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """The answer that the caller gets.

    Attributes:
        answer: The units that were kept, with markers numbered by first use.
        question_figures: Spans of figures that only the question contains.
        pieces: The units in the order of the completion.
    """

    answer: str
    status: Status
    citations: tuple[Citation, ...] = ()
    removed: tuple[Removed, ...] = ()
    question_figures: tuple[Span, ...] = ()
    pieces: tuple[Piece, ...] = ()
