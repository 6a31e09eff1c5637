"""Citation markers in whatever form a model writes them, taken out of the text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from chat.answers.passages import Passage

_MAX_RANGE: Final = 30
_MAX_INSIDE: Final = 300

# Private-use characters frame the citations that Bedrock itself made; no model's text keeps them.
NATIVE_OPEN: Final = "\ue000"
NATIVE_CLOSE: Final = "\ue001"

_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_SUPERSCRIPT: Final = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789"
)
_PREFIX: Final = (
    r"(?:documents?|docs?|passages?|sources?|src|ids?|refs?|references?|citations?|cites?|"
    r"cited|see(?: also)?|"
    r"from|per|notes?|footnotes?|fn|chunks?|excerpts?|according to|text)"
)
_STRONG_PREFIX: Final = re.compile(
    r"^\s*(?:see\s+)?(?:documents?|docs?|passages?|sources?|src|ids?|refs?|references?|"
    r"citations?|cited|chunks?|"
    r"excerpts?)\b\s*(?:[:=#]|(?=[\w-]*\d))",
    re.IGNORECASE,
)
_ID_LIKE: Final = re.compile(r"[\w.:/-]*#\d+|\^?\d{1,4}|[a-z0-9]+(?:[-_][a-z0-9]+)+", re.IGNORECASE)
_AUTHOR_YEAR: Final = re.compile(
    r"[A-Z][\w.&' -]{1,60},?\s+(?:et al\.?,?\s*)?\(?(?:19|20)\d\d[a-z]?\)?"
)
_KEPT: Final = re.compile(r"\s*|x|X|\.{3}|\u2026|sic|\*", re.IGNORECASE)

_CANDIDATE: Final = re.compile(
    rf"{NATIVE_OPEN}(?P<native>[\d,]*){NATIVE_CLOSE}"
    r"|!?\[(?P<label>[^\[\]\n]{0,300})\]\((?P<url>[^()\s]{0,300})(?:\s+\"[^\"\n]{0,200}\")?\)"
    r"|"
    r"\^?[\[\u3010\u27e6\u3014\uff3b](?P<square>\[?[^\[\]\u3010\u3011\u27e6\u27e7\n]{0,300}\]?)[\]\u3011\u27e7\u3015\uff3d]"
    r"|<(?P<tag>cite|citation|source|sup|ref|passage|document|doc|a|span|"
    r"co)\b(?P<attributes>[^<>]{0,200})>"
    r"(?P<inner>[^<>]{0,200})</(?P=tag)>"
    r"|<(?P<angle>[^<>\n]{1,300})>"
    r"|\{(?P<curly>[^{}\n]{1,300})\}"
    r"|\((?P<round>[^()\n]{1,300})\)"
    r"|(?P<super>[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+(?:[,\u02d2 "
    r"]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)*)"
    r"|(?<=[^\W\d])\^(?P<caret>\d{1,2})\b|(?<=[.!?])\^(?P<caret2>\d{1,2})\b"
    r"|(?P<bare>(?<![\w#-])[\w][\w./:-]{0,120}#\d+\b(?:-\d+\b)?)"
    rf"|\b(?P<named>(?:[Pp]assages?|[Ss]ources?|[Dd]ocuments?|[Dd]ocs?|"
    rf"[Cc]hunks?)(?:\s+\#?|[-_])\d{{1,3}}(?:(?:\s*,\s*|\s+and\s+|\s*&\s*)\d{{1,2}})*\b)"
    rf"|(?P<credit>(?:^|(?<=[\s.!?*_(]))(?:[Ss]ources?|[Rr]ef(?:erence)?s?|"
    rf"[Cc]itations?)\s?\*{{0,2}}:\*{{0,2}}\s*(?P<credited>[^\n()]{{1,300}}))",
    re.MULTILINE,
)
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
_MARKER_LINE: Final = re.compile(r"[\s,;.:*_()\[\]-]*")


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation at an offset: positions of passages, and whether any id was unknown."""

    offset: int
    passages: tuple[int, ...]
    unknown: bool


@dataclass(frozen=True, slots=True)
class Marked:
    """A completion without its markers, and the markers."""

    text: str
    markers: Sequence[Marker]


@dataclass(slots=True)
class _Resolved:
    known: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    by_name: bool = False
    """Whether a known id was given in full, not only by number or document."""


class KnownIds:
    """The ids and numbers by which a model may cite the passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._ids: dict[str, tuple[int, ...]] = {}
        self._documents: dict[str, tuple[int, ...]] = {}
        self._aliases: dict[str, tuple[int, ...]] = {}
        self._count = len(passages)
        for index, passage in enumerate(passages):
            self._ids.setdefault(_plain(passage.passage_id), (index,))
            for name in (passage.document_id, passage.title or ""):
                key = _plain(name)
                if key and not key.isdigit():
                    self._documents[key] = (*self._documents.get(key, ()), index)

    def alias(self, label: str, passages: tuple[int, ...]) -> None:
        """Make a label stand for passages, as the model's own list of sources defines it."""
        self._aliases[_plain(label)] = passages

    def aliased(self, label: str) -> bool:
        """Whether the model defined a label."""
        return _plain(label) in self._aliases

    def named_in(self, text: str) -> tuple[int, ...]:
        """Return the passages whose ids stand in a text."""
        plain = _plain(text)
        return tuple(
            index[0]
            for key, index in self._ids.items()
            if re.search(rf"(?<![\w#-]){re.escape(key)}(?![\w#-])", plain)
        )

    def resolve(self, inside: str) -> _Resolved:
        """Read what stands between two brackets."""
        found = _Resolved()
        whole = _plain(inside)
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
                        (found.unknown if _ID_LIKE.fullmatch(word) else found.foreign).append(word)
            base = name.split("#")[0] if "#" in name else base
        return found

    def _take(self, name: str, found: _Resolved) -> bool:  # noqa: PLR0911
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


def _plain(text: str) -> str:
    return re.sub(r"[\"'`\u201c\u201d\u2018\u2019*]", "", text.translate(_DASHES)).strip().lower()


def parse(completion: str, passages: Sequence[Passage]) -> Marked:
    """Take the citation markers out of a completion."""
    ids = KnownIds(passages)
    text = _without_definitions(completion, ids)
    return _Parser(text, ids, _markers_of(passages)).parse()


def _without_definitions(text: str, ids: KnownIds) -> str:
    """Drop the model's own list of sources, and learn what its labels mean."""
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


def _markers_of(passages: Sequence[Passage]) -> frozenset[tuple[str, str]]:
    """The bracketed markers that documents contain, each with the word before it."""
    found: set[tuple[str, str]] = set()
    for passage in passages:
        for match in re.finditer(r"[\[(\u3010<{][^\[\](){}<>\n]{1,60}[\])\u3011>}]", passage.text):
            found.add((_word_before(passage.text, match.start()), match[0].lower()))
    return frozenset(found)


def _word_before(text: str, offset: int) -> str:
    before = re.search(r"(\w+)\W*$", text[max(0, offset - 40) : offset])
    return before[1].lower() if before else ""


class _Parser:
    def __init__(self, text: str, ids: KnownIds, in_documents: frozenset[tuple[str, str]]) -> None:
        self._source = text
        self._ids = ids
        self._in_documents = in_documents
        self._pieces: list[str] = []
        self._length = 0
        self._markers: list[Marker] = []
        self._brackets_cite = bool(
            re.search(r"[\[\u3010\u27e6]\^?\s*\d{1,2}[\],;\u3011\u27e7]", text)
        ) or any(
            ids.resolve(match[1]).by_name for match in re.finditer(r"\[([^\[\]\n]{1,80})\]", text)
        )

    def parse(self) -> Marked:
        position = 0
        for match in _CANDIDATE.finditer(self._source):
            if match.start() < position:
                continue
            read = self._read(match)
            if read is None:
                continue
            keep, known, unknown = read
            self._write(self._source[position : match.start()])
            if keep:
                self._write(keep)
            else:
                self._trim_space(match.end())
            if known or unknown:
                self._markers.append(Marker(self._length, tuple(dict.fromkeys(known)), unknown))
            position = match.end()
        self._write(self._source[position:])
        return self._tidy("".join(self._pieces))

    def _write(self, piece: str) -> None:
        self._pieces.append(piece)
        self._length += len(piece)

    def _trim_space(self, following: int) -> None:
        """Drop the space before a marker that leaves nothing behind."""
        rest = self._source[following : following + 1]
        if rest and not rest.isspace() and rest not in ".,;:!?)|[\u3010(<*_":
            return
        while self._pieces and self._pieces[-1].endswith((" ", "\u00a0", "\u202f")):
            self._pieces[-1] = self._pieces[-1][:-1]
            self._length -= 1
            if not self._pieces[-1]:
                self._pieces.pop()
        self._markers = [
            marker
            if marker.offset <= self._length
            else Marker(self._length, marker.passages, marker.unknown)
            for marker in self._markers
        ]

    def _read(self, match: re.Match[str]) -> tuple[str, list[int], bool] | None:  # noqa: PLR0911
        """What is kept of a match, which passages it cites, and whether it names an unknown one."""
        groups = match.groupdict()
        if groups["native"] is not None:
            return "", [int(number) for number in groups["native"].split(",") if number], False
        raw = match[0]
        if (_word_before(self._source, match.start()), raw.lower()) in self._in_documents:
            # The document's own marker, or its own words in parentheses.
            return (
                None if groups["round"] or groups["curly"] or groups["angle"] else ("", [], False)
            )
        for name in ("square", "round", "curly", "angle"):
            if groups[name] is not None:
                reader = getattr(self, f"_{name}")
                result: tuple[str, list[int], bool] | None = reader(groups[name], match)
                return result
        if groups["label"] is not None:
            return self._link(groups["label"], groups["url"] or "")
        if groups["tag"] is not None:
            return self._element(groups["attributes"] or "", groups["inner"] or "")
        if groups["super"] is not None:
            return self._superscript(groups["super"], match)
        if groups["caret"] or groups["caret2"]:
            return self._cited(self._ids.resolve(groups["caret"] or groups["caret2"] or ""))
        if groups["bare"] is not None:
            return self._cited(self._ids.resolve(groups["bare"]))
        if groups["named"] is not None:
            return self._cited(self._ids.resolve(groups["named"]))
        return self._credit(groups["credited"] or "")

    @staticmethod
    def _cited(found: _Resolved) -> tuple[str, list[int], bool]:
        return "", found.known, bool(found.unknown) or not found.known

    def _square(self, inside: str, match: re.Match[str]) -> tuple[str, list[int], bool] | None:
        found = self._ids.resolve(inside)
        if found.known or found.unknown:
            if (
                found.foreign
                and not found.by_name
                and not _STRONG_PREFIX.match(inside)
                and len(found.foreign) > 2
            ):
                return None
            return self._cited(found)
        if match[0][0] == "\u3010" or match[0][0] == "\u27e6":
            return "", [], True
        if _KEPT.fullmatch(inside):
            return None
        one_word = len(inside.split()) == 1
        if one_word or _STRONG_PREFIX.match(inside) or _AUTHOR_YEAR.fullmatch(inside.strip()):
            return "", [], True
        return None

    def _round(self, inside: str, match: re.Match[str]) -> tuple[str, list[int], bool] | None:  # noqa: PLR0911
        if match.start() and self._source[match.start() - 1].isalnum():
            return None  # 401(k)
        found = self._ids.resolve(inside)
        strong = bool(_STRONG_PREFIX.match(inside))
        if strong and not found.foreign:
            return self._cited(found)
        if found.by_name and len(found.foreign) <= 3:
            return self._cited(found)
        if strong and re.match(
            r"\s*(?:see\s+)?(?:sources?|refs?|references?|citations?)\s*:", inside, re.IGNORECASE
        ):
            return self._cited(found)
        if any("#" in name for name in found.unknown) and not found.foreign:
            return "", [], True
        if _AUTHOR_YEAR.fullmatch(inside.strip()) and not re.match(
            r"[A-Z][a-z]+ \d{4}$", inside.strip()
        ):
            return "", [], True
        numeric = re.fullmatch(r"\s*\d{1,2}(?:\s*[,;&]\s*\d{1,2})*\s*", inside)
        after = self._source[match.end() : match.end() + 1]
        # "(1)" counts or lists where the completion cites in other brackets.
        cites = numeric and found.known and not found.unknown and not self._brackets_cite
        if cites and (not after or after in ".,;:!?\n|"):
            return self._cited(found)
        return None

    def _curly(self, inside: str, _match: re.Match[str]) -> tuple[str, list[int], bool] | None:
        found = self._ids.resolve(inside)
        return self._cited(found) if found.known or found.unknown else None

    def _angle(self, inside: str, _match: re.Match[str]) -> tuple[str, list[int], bool] | None:
        if re.fullmatch(r"br\s*/?", inside):
            return " ", [], False
        found = self._ids.resolve(inside)
        if found.by_name or (found.known and not found.foreign):
            return self._cited(found)
        if re.fullmatch(r"/?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?", inside) or "#" in inside:
            named = self._ids.named_in(inside)
            return "", list(named), not named and "#" in inside
        return None

    def _link(self, label: str, url: str) -> tuple[str, list[int], bool]:
        by_url = self._ids.resolve(url.lstrip("#"))
        found = self._ids.resolve(label)
        if found.known and not found.foreign:
            return self._cited(found)
        if _ID_LIKE.fullmatch(label.strip()):
            return "", by_url.known, not by_url.known
        # An address that no passage has is an unknown source, but its words may be true.
        return label, by_url.known, not by_url.known

    def _element(self, attributes: str, inner: str) -> tuple[str, list[int], bool]:
        named = list(self._ids.named_in(attributes))
        found = self._ids.resolve(inner)
        if (found.known or found.unknown) and not found.foreign:
            return "", found.known + named, bool(found.unknown)
        return inner, named, False

    def _superscript(self, raw: str, match: re.Match[str]) -> tuple[str, list[int], bool] | None:
        before = self._source[max(0, match.start() - 2) : match.start()].lower()
        if re.search(r"(?:^|\W|\d)(?:m|km|cm|ft|x|\d)$", " " + before) and raw in "\u00b2\u00b3":
            return None
        known: list[int] = []
        unknown = False
        for part in re.split(r"[,\u02d2 ]", raw.translate(_SUPERSCRIPT)):
            found = self._ids.resolve(part)
            if not found.known and len(part) > 1:
                found = self._ids.resolve(",".join(part))
            known += found.known
            unknown = unknown or bool(found.unknown) or not found.known
        return "", known, unknown

    def _credit(self, credited: str) -> tuple[str, list[int], bool] | None:
        inner = re.sub(r"[\[\](){}<>\u3010\u3011*_]", " ", credited)
        named = list(self._ids.named_in(credited))
        found = self._ids.resolve(inner.strip(" ."))
        if found.known and not found.foreign:
            return "", found.known, bool(found.unknown)
        if named:
            return "", named, bool(found.unknown)
        return "", found.known, True

    def _tidy(self, text: str) -> Marked:
        """Drop lines that held markers alone; their markers go to the end of the line before."""
        markers = list(self._markers)
        lines = list(_lines(text))
        kept: list[str] = []
        moved: list[Marker] = []
        length = 0
        end_of_text = 0
        for start, line in lines:
            here = [
                m
                for m in markers
                if start <= m.offset < start + len(line) + (not line.endswith("\n"))
            ]
            body = line.rstrip("\n")
            if here and _MARKER_LINE.fullmatch(body):
                moved += [Marker(end_of_text, m.passages, m.unknown) for m in here]
                continue
            moved += [Marker(m.offset - start + length, m.passages, m.unknown) for m in here]
            kept.append(line)
            if body.strip():
                end_of_text = length + len(body.rstrip())
            length += len(line)
        joined = "".join(kept)
        return Marked(joined.rstrip(), list(moved))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line + "\n"
        start += len(line) + 1
