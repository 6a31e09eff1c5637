"""The retrieved passages, and the sentences and table rows in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from chat.answers.figures import Figure
from chat.answers.quantities import figures, read_identifiers
from chat.answers.reading import Reading, context_labels, read
from chat.answers.words import content_words

MAX_CHARACTERS: Final = 20_000
"""The checker reads only the beginning of a longer passage."""

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
    """The document's own date in ISO form; None if the document states none."""
    score: float = 0.0
    """The cosine similarity to the question."""
    fused: float | None = None
    """What a hybrid search ranked it by; None if it was ranked by `score`."""
    version: str | None = None
    """The document's version; equal content has an equal version."""
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
    """What it refers to: its heading, its lead-in, and the sentence before a pronoun."""
    columns: Sequence[str] = ()
    """The names of a row's columns."""

    @cached_property
    def labels(self) -> Sequence[Mapping[str, float]]:
        """The labels of each figure, with weaker labels from the context and the title."""
        around = dict(context_labels([self.passage.title or ""], _TITLE))
        if not any(figure.date for figure in self.reading.figures):
            # The title's date applies to each sentence that has no date.
            around |= {key: _TITLE_DATE for key in around if key.startswith("date:")}
        for key, weight in context_labels(self.context, _NEAR).items():
            around[key] = max(weight, around.get(key, 0.0))
        return [{**around, **own} for own in self.reading.labels]

    @cached_property
    def context_stems(self) -> frozenset[str]:
        """The words of the context, the column names and the title."""
        texts = (*self.context, *self.columns, self.passage.title or "")
        return frozenset(word.stem for text in texts for word in content_words(text))

    @cached_property
    def context_figures(self) -> Sequence[Figure]:
        """The figures of the context, the column names and the title, and the passage's date."""
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
        text = f"{self.passage.title or ''}\n{self.passage.text[:MAX_CHARACTERS]}"
        return frozenset(found.key for found in read_identifiers(text))

    @cached_property
    def named_figures(self) -> frozenset[tuple[str, str]]:
        """Figures with the word after them, as in "the four per cent rule"."""
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
