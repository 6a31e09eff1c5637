"""An attacked part of a completion, before true sentences are put around it."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evaluation.completions.base import Base, Claim, bases


@dataclass(frozen=True, slots=True)
class Draft:
    """The attacked text with its citations.

    `wrong` are false texts in it, each with the part that makes it false. `ids` are invented ids
    in it. `uses` are the claims from which it was made. A `block` is a separate paragraph. After a
    `last` draft no text follows. `passages` replace the passages of the base.
    """

    text: str
    wrong: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    uses: tuple[Claim, ...] = ()
    wrong_citations: tuple[str, ...] = ()
    passages: tuple[dict[str, Any], ...] | None = None
    block: bool = False
    last: bool = False
    stop_reason: str = "end_turn"


_NAMES = {
    *("Admiral", "Asia-Pacific", "California", "Europe", "Everyday", "Institutional", "Investor"),
    *("Kestrel", "Lark", "North", "Northwind", "Oakline", "Public", "Solaris", "Treasury"),
}

_COMMON = {"account", "and", "for", "fund", "how", "in", "of", "the", "to", "what"}

# Returns None if the base has no text that this attack can use.
Attack = Callable[[random.Random, Base], Draft | None]


def cite(ids: tuple[str, ...]) -> str:
    """Return a citation of `ids` in the form that the prompt asks for."""
    return f"[{', '.join(dict.fromkeys(ids))}]"


def sentence(text: str, ids: tuple[str, ...]) -> str:
    """Return a sentence with its citation."""
    return f"{text} {cite(ids)}."


def inside(text: str) -> str:
    """Return `text` as a continuation: with a small first letter, unless it begins with a name."""
    first = text.split(maxsplit=1)[0]
    is_name = first in _NAMES or not first[1:].islower()
    return text if is_name and first != "A" else text[0].lower() + text[1:]


def stated(
    rng: random.Random, base: Base, text: str, ids: tuple[str, ...], claim: Claim | None = None
) -> str:
    """Return `text`, made from `claim`, with its citation in one of the places models put it."""
    passage = str(rng.choice(base.passages)["id"])
    forms = [
        f"{text} {cite(ids)}.",
        f"{text}. {cite(ids)}",
        f"According to {cite(ids)}, {inside(text)}.",
        f"**Note:** {text} {cite(ids)}.",
        f"{text} {cite((*ids, passage))}.",
    ]
    true = base.claim(rng, figure=False)
    if true is not None and true is not claim and true.text.split()[:3] != text.split()[:3]:
        # The citation of the next sentence also covers this one.
        forms.append(f"{text}. {true.text} {cite((*ids, *true.cites))}.")
    return rng.choice(forms)


def stranger(rng: random.Random, base: Base, claim: str = "") -> dict[str, Any]:
    """Return a passage of another base that has none of the numbers of `claim`."""
    numbers = [word for word in claim.replace("$", " ").split() if any(c.isdigit() for c in word)]
    others = [
        passage
        for other in bases()
        if not _subjects(other) & _subjects(base)
        for passage in other.passages
        if not any(number in passage["text"] for number in numbers)
    ]
    return rng.choice(others)


def true_sentence(claim: Claim) -> str:
    """Return a true claim with its citation."""
    return sentence(claim.text, claim.cites)


def _subjects(base: Base) -> set[str]:
    """Return the words of the documents' ids and titles, without common words."""
    words = " ".join(f"{p['document_id']} {p['title']}" for p in base.passages).lower()
    return set(re.findall(r"[a-z]{2,}", words)) - _COMMON
