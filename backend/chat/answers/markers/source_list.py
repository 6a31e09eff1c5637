"""The list of sources that a model writes below its answer."""

import re
from typing import Final

from chat.answers.markers.known_ids import KnownIds

_DEFINITION: Final = re.compile(
    r"^[^\S\n]*(?:[-*][^\S\n]+)?(?:\[\^(?P<note>[^\]\n]{1,40})\]:|\[(?P<number>\d{1,3})\][:.]?|"
    r"(?P<plain>\d{1,3})[.):])[^\S\n]+(?P<rest>[^\n]{1,400})$",
    re.MULTILINE,
)
_SECTION: Final = re.compile(
    r"^[^\S\n]*(?:#{1,6}[^\S\n]*)?\*{0,2}(?:sources?|references?|citations?|footnotes?|"
    r"bibliography|works cited)"
    r"(?: used| cited)?:?\*{0,2}:?[^\S\n]*$",
    re.IGNORECASE | re.MULTILINE,
)


def has_source_list(text: str) -> bool:
    """Return whether a text has a line such as "Sources:"."""
    return _SECTION.search(text) is not None


def without_source_list(text: str, ids: KnownIds) -> str:
    """Return a text without the model's list of sources; its labels become aliases of ids."""
    section = list(_SECTION.finditer(text))
    listed_from = section[-1].start() if section else len(text)
    pieces: list[str] = []
    position = 0
    for match in _DEFINITION.finditer(text):
        rest = match["rest"]
        named = ids.named_in(rest) or _exactly(ids, rest)
        starts_with_id = bool(named) and len(rest) < 200 and _leads(ids, rest)
        in_section = match.start() >= listed_from
        if not (match["note"] or in_section or (match["number"] and starts_with_id)):
            continue
        label = match["note"] or match["number"] or match["plain"] or ""
        ids.alias(label, named)
        pieces.append(text[position : match.start()])
        position = match.end()
    pieces.append(text[position:])
    kept = "".join(pieces)
    section = list(_SECTION.finditer(kept))
    if section and (position or not kept[section[-1].end() :].strip()):
        rest = kept[section[-1].end() :]
        if not rest.strip() or all(_is_reference(ids, line) for line in rest.splitlines()):
            named = ids.named_in(rest)
            tail = " " + "".join(f"[{index + 1}]" for index in named) if not position else ""
            kept = kept[: section[-1].start()].rstrip() + tail
    return kept


def _is_reference(ids: KnownIds, line: str) -> bool:
    return not line.strip() or bool(ids.named_in(line)) or "http" in line


def _exactly(ids: KnownIds, rest: str) -> tuple[int, ...]:
    found = ids.resolve(rest.strip(" .[]()"))
    return tuple(found.known) if not found.foreign and not found.unknown else ()


def _leads(ids: KnownIds, rest: str) -> bool:
    first = rest.split(maxsplit=1)[0].strip("[](),.:;`*\u2013-")
    return bool(ids.resolve(first).known)
