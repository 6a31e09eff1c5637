"""The hand-written material of the adversarial set: true claims over passages, and false ones."""

import functools
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("bases.jsonl")


@dataclass(frozen=True, slots=True)
class Claim:
    """A true claim. `figure` is the part of `text` that attacks change, "" if there is none.

    `follow_up` is a true sentence, `false_follow_up` an unsupported one; both begin with a pronoun
    that refers to the claim's subject.
    """

    text: str
    cites: tuple[str, ...]
    figure: str = ""
    follow_up: str = ""
    false_follow_up: str = ""

    def with_figure(self, figure: str) -> str:
        """Return the text with its own figure replaced by `figure`."""
        return self.text.replace(self.figure, figure, 1)


@dataclass(frozen=True, slots=True)
class Base:
    """A question, its passages, and sentences about them.

    `false` have a `kind`, `text` and `cites`; `limits` a true `text` and a false `limit` of it;
    `dates` a `text` and its `date`; `calculations` a `text`, two `operands` and the `result`;
    `lists` a `lead` with `{count}` and its `items`. `uncited` are claims that no passage supports.
    """

    id: str
    question: str
    passages: tuple[dict[str, Any], ...]
    claims: tuple[Claim, ...]
    false: tuple[dict[str, Any], ...]
    limits: tuple[dict[str, Any], ...]
    uncited: tuple[str, ...]
    dates: tuple[dict[str, Any], ...]
    calculations: tuple[dict[str, Any], ...]
    lists: tuple[dict[str, Any], ...]

    def text(self, passage_id: str) -> str:
        """Return the text of a passage."""
        return next(str(p["text"]) for p in self.passages if p["id"] == passage_id)

    def claim(self, rng: random.Random, *, figure: bool = True) -> Claim | None:
        """Return one of the claims, with a figure if `figure`; None if there is none."""
        claims = [claim for claim in self.claims if claim.figure or not figure]
        return rng.choice(claims) if claims else None

    def faithful(self) -> str:
        """Return a completion of all true claims, each with its citation."""
        return " ".join(f"{claim.text} [{', '.join(claim.cites)}]." for claim in self.claims)


@functools.cache
def bases() -> tuple[Base, ...]:
    """Return all bases, in the order of bases.jsonl."""
    return tuple(_base(json.loads(line)) for line in _FILE.read_text("utf-8").splitlines())


def _base(fields: dict[str, Any]) -> Base:
    claims = tuple(Claim(**{**c, "cites": tuple(c["cites"])}) for c in fields.pop("claims"))
    rest = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return Base(id=fields["id"], question=fields["question"], claims=claims, **rest)
