"""An attacked part of a completion, before true sentences are put around it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evaluation.completions.base import Base, Claim, bases


@dataclass(frozen=True, slots=True)
class Draft:
    """`text` with its citations; `wrong` are false texts in it, each with its decisive part.

    `ids` are invented ids in it. A `block` is a paragraph of its own. After a `last` draft nothing
    follows. `passages` replace the passages of the base.
    """

    text: str
    wrong: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    wrong_citations: tuple[str, ...] = ()
    passages: tuple[dict[str, Any], ...] | None = None
    block: bool = False
    first: str = ""
    last: bool = False
    stop_reason: str = "end_turn"


# None where the base has nothing that this attack can use.
Attack = Callable[[random.Random, Base], Draft | None]


def cite(ids: tuple[str, ...]) -> str:
    """Return the plain form that the prompt asks for."""
    return f"[{', '.join(ids)}]"


def sentence(text: str, ids: tuple[str, ...]) -> str:
    """Return a sentence with its citation."""
    return f"{text} {cite(ids)}."


def inside(text: str) -> str:
    """Return `text` as it stands after other words: an article or the like in lower case."""
    first, _, rest = text.partition(" ")
    common = "A An The At In On Up Over For Each If There No Far Add Keep You It They".split()
    return f"{first.lower() if first in common else first} {rest}"


def stated(rng: random.Random, base: Base, text: str, ids: tuple[str, ...]) -> str:
    """Return `text` with its citation, in one of the places where models write it."""
    true = base.claim(rng, figure=False)
    passage = str(rng.choice(base.passages)["id"])
    forms = [
        f"{text} {cite(ids)}.",
        f"{text}. {cite(ids)}",
        f"According to {cite(ids)}, {inside(text)}.",
        f"**Note:** {text} {cite(ids)}.",
        f"{text} {cite((*ids, passage))}.",
    ]
    if true is not None and true.text.split()[:2] != text.split()[:2]:
        # The citation of the next sentence also covers this one.
        forms.append(f"{text}. {true.text} {cite((*ids, *true.cites))}.")
    return rng.choice(forms)


def stranger(rng: random.Random, base: Base, claim: str = "") -> dict[str, Any]:
    """Return a passage of another base that has none of the numbers of `claim`."""
    numbers = [word for word in claim.replace("$", " ").split() if any(c.isdigit() for c in word)]
    others = [
        passage
        for other in bases()
        if not set(_subjects(other)) & set(_subjects(base))
        for passage in other.passages
        if not any(number in passage["text"] for number in numbers)
    ]
    return rng.choice(others)


def true_sentence(claim: Claim) -> str:
    """Return a true claim with its citation."""
    return sentence(claim.text, claim.cites)


def _subjects(base: Base) -> list[str]:
    """The words of the documents' ids and titles, without the common ones."""
    common = {"and", "the", "of", "in", "for", "a", "to", "what", "how", "fund", "account", "2024", "2025"}
    words = " ".join(f"{p['document_id']} {p['title']}" for p in base.passages).lower()
    return [word for word in words.replace("-", " ").replace(":", " ").split() if word not in common]
