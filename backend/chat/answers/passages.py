"""The retrieved passages as the checker sees them: sentences and table rows, with their offsets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from chat.answers.figures import Figure
from chat.answers.quantities import figures, read_identifiers
from chat.answers.reading import Reading, Row, context_labels, read, read_row
from chat.answers.sentences import sentence_spans
from chat.answers.tables import (
    Cell,
    cells,
    is_header,
    is_row,
    is_separator,
    scale_of,
    with_currency,
)
from chat.answers.words import content_words

_HEADING: Final = re.compile(r"\s{0,3}#{1,6}\s+\S|\s*\*\*[^*]{1,120}\*\*:?\s*$")
_ITEM: Final = re.compile(r"\s*(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+(?=\S)")
_PRONOUN: Final = re.compile(
    r"\W*(?:it|they|this|that|these|those|its|their|he|she|such|both|the (?:rule|plan|fund|account|"
    r"company|former|latter|rate|amount|limit))\b",
    re.IGNORECASE,
)
# "Since those who die early pay for the others, it can pay more."
_LATER_PRONOUN: Final = re.compile(r"[,:;]\s+(?:it|they)\b")
# "Fifteen-\nyear": a hyphen at a line's end belongs to its word.
_BROKEN_WORD: Final = re.compile(r"(?<=\w)-[^\S\n]*\n\s*(?=[a-z])")
# A document that poses as a turn of the conversation gives orders to the model, not evidence.
_TURN: Final = re.compile(r"\s*(?:system|assistant|user|human|developer)\s*:", re.IGNORECASE)
_MAX_CHARACTERS: Final = 20_000

_NEAR: Final = 0.5
_TITLE: Final = 0.3
_TITLE_DATE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved piece of a document.

    The prompt numbers the passages from 1 in the order in which `check` gets them.
    """

    passage_id: str
    document_id: str
    text: str
    title: str | None = None
    page: int | None = None
    as_of: str | None = None
    """An ISO date, only where the document itself says of when it is."""
    score: float = 0.0
    version: str | None = None
    """The document's version: the same for the same content."""
    owner: str | None = None
    """The pseudonym of the document's owner; two owners may use the same document id."""


@dataclass(frozen=True)
class Statement:
    """A sentence or table row of a passage: `passage.text[start:end]`."""

    passage: Passage
    start: int
    end: int
    reading: Reading
    context: Sequence[str]
    """What the statement refers to: headings, a lead-in, the sentence before a pronoun."""
    columns: Sequence[str] = ()
    """The names of a row's columns."""

    @cached_property
    def labels(self) -> Sequence[Mapping[str, float]]:
        """The labels of each figure, with those of the context."""
        around = dict(context_labels([self.passage.title or ""], _TITLE))
        if not any(figure.date for figure in self.reading.figures):
            # A title's date is that of each sentence that has none.
            around |= {key: _TITLE_DATE for key in around if key.startswith("date:")}
        for key, weight in context_labels(self.context, _NEAR).items():
            around[key] = max(weight, around.get(key, 0.0))
        return [{**around, **own} for own in self.reading.labels]

    @cached_property
    def context_stems(self) -> frozenset[str]:
        """The words of the context and the title."""
        texts = (*self.context, *self.columns, self.passage.title or "")
        return frozenset(word.stem for text in texts for word in content_words(text))

    @cached_property
    def context_figures(self) -> Sequence[Figure]:
        """The dates and numbers of the context, the title and the passage's own date."""
        title, as_of = self.passage.title or "", self.passage.as_of or ""
        texts = (*self.context, *self.columns, title, as_of)
        return [figure for text in texts for figure in figures(text)]

    @cached_property
    def column_figures(self) -> Sequence[Figure]:
        """The figures in the names of a row's columns, such as "five-year return"."""
        return [figure for text in self.columns for figure in figures(text)]


@dataclass(frozen=True)
class PassageReading:
    """A passage with its statements."""

    passage: Passage
    statements: Sequence[Statement]

    @cached_property
    def stems(self) -> frozenset[str]:
        """All words of the passage and its title."""
        found = {stem for one in self.statements for stem in one.reading.stems}
        return frozenset(found.union(*(one.context_stems for one in self.statements)))

    @cached_property
    def identifier_keys(self) -> frozenset[str]:
        """All identifiers of the passage and its title."""
        text = f"{self.passage.title or ''}\n{self.passage.text[:_MAX_CHARACTERS]}"
        return frozenset(found.key for found in read_identifiers(text))

    @cached_property
    def named_figures(self) -> frozenset[tuple[str, str]]:
        """Figures with the word behind them, as in "the four per cent rule"."""
        texts = [one.reading for one in self.statements] + [read(self.passage.title or "")]
        return frozenset(pair for one in texts for pair in named_figures(one))


def named_figures(reading: Reading) -> list[tuple[str, str]]:
    """Return each figure that is followed by a content word, with that word."""
    return [
        (figure.key, word.stem)
        for figure in reading.figures
        for word in reading.words
        if figure.end <= word.start <= figure.end + 1 and figure.date is None
    ]


@lru_cache(maxsize=256)
def read_passage(passage: Passage) -> PassageReading:
    """Cut a passage into sentences and table rows."""
    return PassageReading(passage, _Walk(passage).statements())


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    text: str


class _Walk:
    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._text = passage.text[:_MAX_CHARACTERS]
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
        """The number of lines of the table that begins at a line."""
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
        caption = scale_of(caption_text)
        if caption.unit == "percent":
            caption = scale_of("")
        rows = [cells(line.text, line.start) for line in lines if not is_separator(line.text)]
        caption = with_currency(caption, rows)
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
