"""A citation marker and a completion without its markers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Private-use characters mark Bedrock's own citations. They are removed from a model's text.
NATIVE_OPEN: Final = "\ue000"
NATIVE_CLOSE: Final = "\ue001"


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation at an offset: positions of passages, and whether any id was unknown."""

    offset: int
    passages: tuple[int, ...]
    unknown: bool


@dataclass(frozen=True, slots=True)
class Marked:
    """A completion without its markers, and the markers.

    Attributes:
        depends_on_end: Whether text at the end of the completion can change how its beginning is
            read: a list of sources defines what the numbers in brackets cite.
    """

    text: str
    markers: Sequence[Marker]
    depends_on_end: bool = False
