"""The ids and numbers by which a model may cite the passages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chat.answers.passages import Passage

_MAX_RANGE: Final = 30
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_PREFIX: Final = (
    r"(?:documents?|docs?|passages?|sources?|src|ids?|refs?|references?|citations?|cites?|"
    r"cited|see(?: also)?|"
    r"from|per|notes?|footnotes?|fn|chunks?|excerpts?|according to|text)"
)
ID_LIKE: Final = re.compile(r"[\w.:/-]*#\d+|\^?\d{1,4}|[a-z0-9]+(?:[-_][a-z0-9]+)+", re.IGNORECASE)


@dataclass(slots=True)
class Resolved:
    """The passages and names that a marker cites.

    Attributes:
        known: Positions of passages.
        unknown: Words that look like an id but are the id of no passage.
        foreign: Other words.
        by_name: Whether a known id was given in full, not only by number or document.
    """

    known: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    by_name: bool = False


class KnownIds:
    """The ids and numbers by which a model may cite the passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._ids: dict[str, tuple[int, ...]] = {}
        self._documents: dict[str, tuple[int, ...]] = {}
        self._aliases: dict[str, tuple[int, ...]] = {}
        self._count = len(passages)
        self.used_numbers = False
        """Whether a number or a label was resolved, which a list of sources may define anew."""
        for index, passage in enumerate(passages):
            self._ids.setdefault(normalised(passage.passage_id), (index,))
            for name in (passage.document_id, passage.title or ""):
                key = normalised(name)
                if key and not key.isdigit():
                    self._documents[key] = (*self._documents.get(key, ()), index)

    def alias(self, label: str, passages: tuple[int, ...]) -> None:
        """Define a label that the model's own list of sources gives to passages."""
        self._aliases[normalised(label)] = passages
        self.used_numbers = True

    def named_in(self, text: str) -> tuple[int, ...]:
        """Return the passages whose ids a text contains."""
        plain = normalised(text)
        return tuple(
            index[0]
            for key, index in self._ids.items()
            if re.search(rf"(?<![\w#-]){re.escape(key)}(?![\w#-])", plain)
        )

    def resolve(self, inside: str) -> Resolved:
        """Resolve the text between two brackets."""
        found = Resolved()
        whole = normalised(inside)
        if self._take(whole, found):
            return found
        base = ""
        for part in re.split(r"[,;&|/\u2020]|\band\b|\]\[|\s\+\s", whole):
            name = re.sub(rf"^\s*(?:{_PREFIX}\b[\s:=.#]*)+", "", part.strip(" []^")).strip(
                " []^.:="
            )
            if not name:
                continue
            if re.fullmatch(r"#?\d+(?:\s*-\s*\d+)?", name) and base and "#" in part:
                name = base + "#" + name.lstrip("#")
            if not self._take(name, found):
                for word in name.split():
                    if not self._take(word, found) and not re.fullmatch(_PREFIX + ":?", word):
                        (found.unknown if ID_LIKE.fullmatch(word) else found.foreign).append(word)
            base = name.split("#")[0] if "#" in name else base
        return found

    def _take(self, name: str, found: Resolved) -> bool:  # noqa: PLR0911
        name = name.strip().strip("^").strip()
        if name in self._aliases:
            found.known += self._aliases[name]
            if not self._aliases[name]:
                found.unknown.append(name)
            return True
        if name in self._ids:
            found.known += self._ids[name]
            found.by_name = True
            return True
        if span := re.fullmatch(r"(.*?)#?\s*(\d{1,4})\s*-\s*#?(\d{1,4})", name):
            base, low, high = span[1].rstrip("#"), int(span[2]), int(span[3])
            if low <= high <= low + _MAX_RANGE and (not base or "#" in name):
                for number in range(low, high + 1):
                    key = f"{base}#{number}" if base else str(number)
                    if not self._take(key, found):
                        found.unknown.append(key)
                return True
        if name.isdigit() and len(name) < 5:
            if 1 <= int(name) <= self._count:
                self.used_numbers = True
                found.known.append(int(name) - 1)
                return True
            return False
        if name in self._documents:
            found.known += self._documents[name]
            found.by_name = found.by_name or "-" in name
            return True
        squeezed = re.sub(r"[\s_-]+", "-", name)
        squeezed = re.sub(r"-?#-?", "#", squeezed)
        if squeezed != name and squeezed in self._ids:
            found.known += self._ids[squeezed]
            found.by_name = True
            return True
        return False


def normalised(text: str) -> str:
    """Return a text in lower case, without quotation marks and with plain hyphens."""
    return re.sub(r"[\"'`\u201c\u201d\u2018\u2019*]", "", text.translate(_DASHES)).strip().lower()
