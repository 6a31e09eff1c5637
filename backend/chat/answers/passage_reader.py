"""Cuts a passage into sentences and table rows, with their offsets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from chat.answers.passages import MAX_CHARACTERS, Passage, PassageReading, Statement
from chat.answers.reading import Reading, Row, read, read_row
from chat.answers.sentences import sentence_spans
from chat.answers.tables import (
    Cell,
    caption_scale,
    cells,
    is_header,
    is_row,
    is_separator,
    scale_of,
)

_HEADING: Final = re.compile(r"\s{0,3}#{1,6}\s+\S|\s*\*\*[^*]{1,120}\*\*:?\s*$")
_ITEM: Final = re.compile(r"\s*(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+(?=\S)")
_PRONOUN: Final = re.compile(
    r"\W*(?:it|they|this|that|these|those|its|their|he|she|such|both|the (?:rule|plan|fund|account|"
    r"company|former|latter|rate|amount|limit))\b",
    re.IGNORECASE,
)
# "Since those who die early pay for the others, it can pay more."
_LATER_PRONOUN: Final = re.compile(r"[,:;]\s+(?:it|they)\b")
# "Fifteen-\nyear": the hyphen at a line's end is part of the word.
_BROKEN_WORD: Final = re.compile(r"(?<=\w)-[^\S\n]*\n\s*(?=[a-z])")
# A paragraph that poses as a turn of the conversation instructs the model; it is no evidence.
_TURN: Final = re.compile(r"\s*(?:system|assistant|user|human|developer)\s*:", re.IGNORECASE)


@lru_cache(maxsize=256)
def read_passage(passage: Passage) -> PassageReading:
    """Cut a passage into sentences and table rows."""
    return PassageReading(passage, _PassageReader(passage).statements())


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    text: str


class _PassageReader:
    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._text = passage.text[:MAX_CHARACTERS]
        self._found: list[Statement] = []
        self._heading = ""
        self._lead_in = ""

    def statements(self) -> list[Statement]:
        paragraph: list[_Line] = []
        lines = self._lines()
        index = 0
        while index < len(lines):
            line = lines[index]
            table = self._table_from(lines, index)
            if (
                not line.text.strip()
                or _HEADING.match(line.text)
                or table
                or _ITEM.match(line.text)
            ):
                self._paragraph(paragraph)
                paragraph = []
            if table:
                self._table(lines[index : index + table])
                index += table
                continue
            if _HEADING.match(line.text):
                self._heading = line.text.strip("#* \t")
                self._lead_in = ""
            elif line.text.strip():
                paragraph.append(line)
            index += 1
        self._paragraph(paragraph)
        return self._found

    def _lines(self) -> list[_Line]:
        lines: list[_Line] = []
        start = 0
        for raw in self._text.splitlines(keepends=True):
            lines.append(_Line(start, start + len(raw.rstrip("\r\n")), raw.rstrip("\r\n")))
            start += len(raw)
        return lines

    def _table_from(self, lines: Sequence[_Line], index: int) -> int:
        """The number of lines of the table that begins at a line, or 0."""
        count = 0
        while index + count < len(lines) and (
            is_row(lines[index + count].text) or is_separator(lines[index + count].text)
        ):
            count += 1
        piped = "|" in lines[index].text and lines[index].text.strip().startswith("|")
        return count if count >= 2 or piped else 0

    def _table(self, lines: Sequence[_Line]) -> None:
        header: Sequence[Cell] = ()
        before = self._found[-1].reading.text if self._found else ""
        caption_text = " ".join(
            (self._passage.title or "", self._heading, self._lead_in, before[-200:])
        )
        rows = [cells(line.text, line.start) for line in lines if not is_separator(line.text)]
        caption = caption_scale(caption_text, rows)
        for line in lines:
            if is_separator(line.text):
                continue
            row = cells(line.text, line.start)
            separated = line is lines[0] and len(lines) > 1 and is_separator(lines[1].text)
            if separated or (line is lines[0] and is_header(row)):
                header = row
                caption = scale_of(row[0].text).over(caption)
                continue
            context = [self._heading, self._lead_in]
            columns = [cell.text for cell in header]
            reading = read_row(Row(line.text, row, header, caption))
            self._add(line.start, line.end, reading, context, columns)

    def _paragraph(self, lines: Sequence[_Line]) -> None:
        if not lines or _TURN.match(lines[0].text):
            return
        start, end = lines[0].start, lines[-1].end
        item = _ITEM.match(lines[0].text)
        if item:
            start += item.end()
        previous = ""
        for one, two in sentence_spans(self._text, start, end):
            text = _BROKEN_WORD.sub("-", self._text[one:two])
            context = [self._heading] if self._heading else []
            if item and self._lead_in:
                context.append(self._lead_in)
            if previous and (_PRONOUN.match(text) or _LATER_PRONOUN.search(text)):
                context.append(previous)
            self._add(one, two, read(text), context)
            previous = text
        if not item:
            self._lead_in = previous if previous.rstrip().endswith(":") else ""

    def _add(
        self,
        start: int,
        end: int,
        reading: Reading,
        context: Sequence[str],
        columns: Sequence[str] = (),
    ) -> None:
        texts = [text for text in context if text]
        self._found.append(Statement(self._passage, start, end, reading, texts, columns))
