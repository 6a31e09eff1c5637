"""Cuts a completion into its units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from chat.answers.markers.marker import Marked
from chat.answers.sentences import sentence_spans, trim
from chat.answers.tables import Cell, caption_scale, cells, is_header, is_separator, scale_of
from chat.answers.units import Kind, Unit, Units, ends_in_colon

_HEADING: Final = re.compile(
    r"\s{0,3}#{1,6}\s+(?=\S)|\s*(?=(?:\*\*|__)[^*\n]{1,150}(?:\*\*|__):?\s*$)"
)
_BULLET: Final = re.compile(
    r"\s*(?:[-*+\u2022\u2023\u25e6\u2013\u00b7](?!\*)|\[[ xX]\])\s+(?:\[[ xX]\]\s+)?(?=\S)"
)
_NUMBERED: Final = re.compile(
    r"(?P<before>\s*(?:\*\*|__)?(?:Step\s+)?\(?)(?P<number>\d{1,3})(?P<after>[.):](?:\*\*|__)?|"
    r"\s*[\u2013\u2014](?=\s))\s+(?=\S)"
    r"|(?P<letters>\s*\(?[a-hivx]{1,4}[.)])\s+(?=\S)",
    re.IGNORECASE,
)
_QUOTE: Final = re.compile(r"\s*>\s?")
_RULE: Final = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,}|```\w*)\s*")


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def cut(marked: Marked) -> Units:
    """Cut a completion into its units, and give each marker to a unit."""
    cutter = _Cutter(marked)
    units = cutter.run()
    _set_parents(marked.text, units)
    _attach_markers(marked, units)
    return Units(marked.text, units)


class _Cutter:
    def __init__(self, marked: Marked) -> None:
        self._text = marked.text
        self._subjects = frozenset(marker.offset for marker in marked.markers)
        self._units: list[Unit] = []
        self._paragraph = 0
        self._last_end = 0

    def run(self) -> list[Unit]:
        lines = self._lines()
        block: list[_Line] = []
        index = 0
        in_list = False
        while index < len(lines):
            line = lines[index]
            blank = not line.text.strip()
            table = self._table_lines(lines, index)
            starts = self._starts(line.text)
            if blank or table or starts:
                self._add_block(block)
                block = []
            if table:
                self._next_paragraph()
                self._table(lines[index : index + table])
                self._next_paragraph()
                in_list = False
                index += table
                continue
            if blank:
                # Blank lines may separate the items of one list.
                if not (
                    in_list and index + 1 < len(lines) and self._is_item(lines[index + 1].text)
                ):
                    self._next_paragraph()
                    in_list = False
            elif _RULE.fullmatch(line.text):
                self._next_paragraph()
            else:
                is_item = self._is_item(line.text)
                if is_item != in_list and starts:
                    self._next_paragraph()
                in_list = is_item or (in_list and not starts)
                block.append(line)
                if _HEADING.match(line.text) and not is_item:
                    self._add_block(block)
                    block = []
                    self._next_paragraph()
            index += 1
        self._add_block(block)
        return self._units

    def _lines(self) -> list[_Line]:
        lines: list[_Line] = []
        start = 0
        for text in self._text.split("\n"):
            lines.append(_Line(start, text.rstrip("\r")))
            start += len(text) + 1
        return lines

    def _is_item(self, text: str) -> bool:
        quoted = _QUOTE.match(text)
        body = text[quoted.end() :] if quoted else text
        return bool(_BULLET.match(body) or _NUMBERED.match(body)) and not _RULE.fullmatch(text)

    def _starts(self, text: str) -> bool:
        return bool(self._is_item(text) or _HEADING.match(text) or _RULE.fullmatch(text))

    def _next_paragraph(self) -> None:
        self._paragraph += 1

    def _table_lines(self, lines: Sequence[_Line], index: int) -> int:
        count = 0
        while index + count < len(lines):
            text = lines[index + count].text
            if text.count("|") < 1 or len(cells(text)) < 2:
                break
            count += 1
        leading = lines[index].text.strip().startswith("|")
        return count if count >= 2 or (count and leading) else 0

    def _add(self, kind: Kind, start: int, end: int, **fields: object) -> Unit:
        gap = self._text[self._last_end : start]
        prefix = str(fields.get("prefix", ""))
        gap = gap[: len(gap) - len(prefix)] if prefix and gap.endswith(prefix) else gap
        unit = Unit(
            index=len(self._units),
            kind=kind,
            start=start,
            end=end,
            paragraph=self._paragraph,
            line_start=not self._units or "\n" in gap,
            gap="".join(mark for mark in gap if mark.isspace()),
        )
        for name, value in fields.items():
            setattr(unit, name, value)
        self._units.append(unit)
        self._last_end = end
        return unit

    def _table(self, lines: Sequence[_Line]) -> None:
        before = self._units[-1] if self._units else None
        rows = [cells(line.text) for line in lines if not is_separator(line.text)]
        caption = caption_scale(self._text[before.start : before.end] if before else "", rows)
        header: Sequence[Cell] = ()
        separated = any(is_separator(line.text) for line in lines)
        for number, line in enumerate(lines):
            row = cells(line.text, line.start)
            bounds = trim(self._text, line.start, line.end)
            if bounds is None:
                continue
            if is_separator(line.text):
                self._add(Kind.HEADER, *bounds)
                continue
            if number == 0 and (separated or is_header(row)):
                header = row
                caption = scale_of(row[0].text).over(caption)
                self._add(Kind.HEADER, *bounds, cells=row)
                continue
            self._add(Kind.ROW, *bounds, cells=row, header=header, caption=caption)

    def _add_block(self, lines: Sequence[_Line]) -> None:
        if not lines:
            return
        start, end = lines[0].start, lines[-1].end
        first = lines[0].text
        quoted = _QUOTE.match(first)
        at = quoted.end() if quoted else 0
        bullet = _BULLET.match(first, at)
        numbered = _NUMBERED.match(first, at)
        item = bullet or numbered
        heading = _HEADING.match(first, at)
        if item:
            bounds = trim(self._text, start + item.end(), end)
            if bounds:
                number = int(numbered["number"]) if numbered and numbered["number"] else None
                indent = len(first) - len(first.lstrip())
                self._add(
                    Kind.ITEM, *bounds, prefix=first[: item.end()], number=number, depth=indent
                )
            return
        begin = start + (heading.end() if heading else at)
        if heading:
            bounds = trim(self._text, begin, end)
            if bounds:
                self._add(Kind.HEADING, *bounds, prefix=first[: heading.end()])
            return
        spans = sentence_spans(self._text, begin, end, subjects=self._subjects)
        for number, (one, two) in enumerate(spans):
            self._add(Kind.SENTENCE, one, two, prefix=first[:at] if not number else "")


def _set_parents(text: str, units: Sequence[Unit]) -> None:
    """Set the parent of each unit: a heading for its section, a lead-in for its list or table."""
    heading: Unit | None = None
    lead: Unit | None = None
    items: list[Unit] = []
    previous: Unit | None = None
    for unit in units:
        if unit.kind is Kind.HEADING:
            heading, lead, items = unit, None, []
        elif unit.kind is Kind.SENTENCE:
            colon = previous is not None and ends_in_colon(text[previous.start : previous.end])
            follows = previous is not None and previous.paragraph == unit.paragraph
            if lead is not None and colon and previous is lead and (follows or unit.line_start):
                unit.parent = lead.index
            else:
                unit.parent = heading.index if heading else None
            items = []
            lead = unit
        else:
            while items and (items[-1].depth >= unit.depth or unit.kind is not Kind.ITEM):
                items.pop()
            if items:
                unit.parent = items[-1].index
            elif lead is not None:
                unit.parent = lead.index
            else:
                unit.parent = heading.index if heading else None
            if unit.kind is Kind.ITEM:
                items.append(unit)
        previous = unit


def _attach_markers(marked: Marked, units: Sequence[Unit]) -> None:
    """Give each marker to the unit that it is in, after, or at the beginning of."""
    if not units:
        return
    for marker in marked.markers:
        owner = units[0]
        for unit in units:
            begins = unit.start
            if marker.offset > begins or (
                marker.offset == begins and unit.line_start and unit.kind != Kind.HEADER
            ):
                owner = unit
            if unit.start > marker.offset:
                before = marked.text[: marker.offset]
                own_line = before.rsplit("\n", 1)[-1].strip(" \t>*-+0123456789.)#|") == ""
                if own_line and "\n" not in marked.text[marker.offset : unit.start]:
                    owner = unit
                elif owner.end == marker.offset and _begins_in_the_middle(marked.text, unit):
                    owner, marker = unit, replace(marker, offset=unit.start)  # noqa: PLW2901
                break
        owner.marks.append(marker)


def _begins_in_the_middle(text: str, unit: Unit) -> bool:
    """Whether a sentence lacks its subject, which was a marker: "[2] adds that …"."""
    return unit.kind is Kind.SENTENCE and text[unit.start].islower()
