"""Finds the markers of a completion and reads what they cite."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from chat.answers.markers.document_markers import bracketed_in, word_before
from chat.answers.markers.known_ids import ID_LIKE, KnownIds, Resolved
from chat.answers.markers.marker import Marked, Marker
from chat.answers.markers.patterns import AUTHOR_YEAR, CANDIDATE, KEPT, STRONG_PREFIX, SUPERSCRIPT
from chat.answers.markers.source_list import has_source_list, without_source_list
from chat.answers.passages import Passage

_MARKER_LINE: Final = re.compile(r"[\s,;.:*_()\[\]-]*")


def parse(completion: str, passages: Sequence[Passage]) -> Marked:
    """Take the citation markers out of a completion."""
    ids = KnownIds(passages)
    text = without_source_list(completion, ids)
    marked = _Parser(text, ids, bracketed_in(passages)).parse()
    return replace(marked, depends_on_end=ids.used_numbers or has_source_list(completion))


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
        for match in CANDIDATE.finditer(self._source):
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
        """Drop the space before a removed marker, unless a word follows."""
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
        """Return the text to keep, the passages that a match cites, and whether any is unknown.

        None if it is no citation.
        """
        groups = match.groupdict()
        if groups["native"] is not None:
            return "", [int(number) for number in groups["native"].split(",") if number], False
        raw = match[0]
        if (word_before(self._source, match.start()), raw.lower()) in self._in_documents:
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
    def _cited(found: Resolved) -> tuple[str, list[int], bool]:
        return "", found.known, bool(found.unknown) or not found.known

    def _square(self, inside: str, match: re.Match[str]) -> tuple[str, list[int], bool] | None:
        found = self._ids.resolve(inside)
        if found.known or found.unknown:
            if (
                found.foreign
                and not found.by_name
                and not STRONG_PREFIX.match(inside)
                and len(found.foreign) > 2
            ):
                return None
            return self._cited(found)
        if match[0][0] == "\u3010" or match[0][0] == "\u27e6":
            return "", [], True
        if KEPT.fullmatch(inside):
            return None
        one_word = len(inside.split()) == 1
        if one_word or STRONG_PREFIX.match(inside) or AUTHOR_YEAR.fullmatch(inside.strip()):
            return "", [], True
        return None

    def _round(self, inside: str, match: re.Match[str]) -> tuple[str, list[int], bool] | None:  # noqa: PLR0911
        if match.start() and self._source[match.start() - 1].isalnum():
            return None  # 401(k)
        found = self._ids.resolve(inside)
        strong = bool(STRONG_PREFIX.match(inside))
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
        if AUTHOR_YEAR.fullmatch(inside.strip()) and not re.match(
            r"[A-Z][a-z]+ \d{4}$", inside.strip()
        ):
            return "", [], True
        numeric = re.fullmatch(r"\s*\d{1,2}(?:\s*[,;&]\s*\d{1,2})*\s*", inside)
        after = self._source[match.end() : match.end() + 1]
        # "(1)" is a list number if the completion cites in other brackets.
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
        if ID_LIKE.fullmatch(label.strip()):
            return "", by_url.known, not by_url.known
        # A link to an unknown address cites an unknown source; its text may still be true.
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
        for part in re.split(r"[,\u02d2 ]", raw.translate(SUPERSCRIPT)):
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
        """Drop lines that contained only markers, and move the markers to the line before."""
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
