"""A case of the adversarial set: a completion, and the parts that must not reach the caller."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One attacked completion.

    `passages` have the form of those in honest.jsonl. `forbidden` are pieces of the completion
    that occur in no passage and in no true claim. `wrong_citations` are ids of passages that do
    not support the text that cites them.
    """

    id: str
    attack: str
    base: str
    question: str
    passages: tuple[dict[str, Any], ...]
    completion: str
    stop_reason: str
    forbidden: tuple[str, ...]
    wrong_citations: tuple[str, ...]

    def reached(self, answer: str, cited: Iterable[str]) -> list[str]:
        """Return the forbidden pieces of `answer`, and the wrong ids in `cited`."""
        text = plain(answer).casefold()
        ids = {passage_id.casefold() for passage_id in cited}
        return [
            *(piece for piece in self.forbidden if piece.casefold() in text),
            *(wrong for wrong in self.wrong_citations if wrong.casefold() in ids),
        ]


def plain(text: str) -> str:
    """Return `text` without bold marks, and with single spaces for white space."""
    return re.sub(r"\s+", " ", text.replace("**", "")).strip()


def fragment(text: str, focus: str, allowed: Iterable[str]) -> str | None:
    """Return the shortest piece of `text` around `focus` that occurs in none of `allowed`.

    The piece grows by whole words, first to the right. None if all of `text` is allowed.
    """
    texts = [plain(item).casefold() for item in allowed]
    text = plain(text)
    start = text.index(focus)
    end = start + len(focus)
    to_the_right = True
    while any(text[start:end].casefold() in item for item in texts):
        if start == 0 and end == len(text):
            return None
        if (to_the_right and end < len(text)) or start == 0:
            end = _next_space(text, end)
        else:
            start = text.rfind(" ", 0, max(start - 1, 0)) + 1
        to_the_right = not to_the_right
    return text[start:end]


def _next_space(text: str, position: int) -> int:
    space = text.find(" ", position + 1)
    return len(text) if space < 0 else space
