"""The sentences of a claim, and the clauses that different source sentences may prove."""

import itertools
import re
from typing import Final

from chat.answers.reading import Reading, read
from chat.answers.sentences import sentence_spans

_CLAUSE: Final = re.compile(
    r"\s*;\s*|\s+[\u2014\u2013-]\s+|\s*\u2014\s*|:\s+|,?\s+\b(?=(?:and|but|while|whereas|"
    r"although|though|so|yet|because|"
    r"since|which|when|who)\b)|,\s+(?=(?:up|down|with|including|plus|then|leaving|making|"
    r"meaning|or)\b)|(?<=[.!?])\s+(?=[A-Z])"
)
_MAX_CLAUSES: Final = 8


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a claim; a sentence without content words joins the one before."""
    found: list[str] = []
    for start, end in sentence_spans(text):
        piece = text[start:end]
        if found and not (read(piece).stems or read(piece).figures):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found


def clauses_of(reading: Reading) -> list[Reading]:
    """Cut a claim into clauses that different sentences may prove; none if it has too many."""
    text = reading.text
    if reading.is_row:
        return []
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    pieces: list[str] = []
    for one, two in itertools.pairwise(cuts):
        piece = text[one:two]
        part = read(piece)
        if (pieces and len(part.stems) + len(part.figures) < 2) or (
            pieces and len(read(pieces[-1]).stems) + len(read(pieces[-1]).figures) < 2
        ):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    if len(pieces) > _MAX_CLAUSES:
        return []
    return [read(piece) for piece in pieces]
