"""Bracketed text of the documents themselves, which is no citation."""

import re
from collections.abc import Sequence

from chat.answers.passages import Passage


def bracketed_in(passages: Sequence[Passage]) -> frozenset[tuple[str, str]]:
    """Return each bracketed text of the passages, with the word before it."""
    found: set[tuple[str, str]] = set()
    for passage in passages:
        for match in re.finditer(r"[\[(\u3010<{][^\[\](){}<>\n]{1,60}[\])\u3011>}]", passage.text):
            found.add((word_before(passage.text, match.start()), match[0].lower()))
    return frozenset(found)


def word_before(text: str, offset: int) -> str:
    """Return the word before an offset, in lower case."""
    before = re.search(r"(\w+)\W*$", text[max(0, offset - 40) : offset])
    return before[1].lower() if before else ""
