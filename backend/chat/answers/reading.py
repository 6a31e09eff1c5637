"""A sentence, clause or table row, read for a comparison: its words, figures and their labels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final

from chat.answers.figures import Figure
from chat.answers.labelling import FIGURE_WEIGHT, Labels, label_figures
from chat.answers.quantities import Identifier, figures, read_identifiers
from chat.answers.tables import Cell, Scale, is_per_unit, scale_of
from chat.answers.words import Word, content_words

# "Net income (loss)" is the name of a line; the line need not be a loss.
_EITHER_WAY: Final = re.compile(
    r"\((?:loss|losses|deficit|decrease|gain|used in)[^()]{0,40}\)", re.IGNORECASE
)


@dataclass(frozen=True)
class Reading:
    """A text with what the checker reads in it."""

    text: str
    words: Sequence[Word]
    figures: Sequence[Figure]
    identifiers: Sequence[Identifier]
    row_labels: Sequence[Labels] | None = None
    is_row: bool = False
    columns: Sequence[Figure] = ()
    """The figures in the names of a row's columns."""

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of the words."""
        return frozenset(word.stem for word in self.words)

    @cached_property
    def identifier_keys(self) -> frozenset[str]:
        """The identifiers in a form that can be compared."""
        return frozenset(found.key for found in self.identifiers)

    @cached_property
    def plain(self) -> str:
        """The text with blanks instead of its figures; a row without words such as "(loss)"."""
        if self.is_row:
            return _EITHER_WAY.sub(" ", self.text)
        text = self.text
        for figure in self.figures:
            text = text[: figure.start] + " " * (figure.end - figure.start) + text[figure.end :]
        return text

    @cached_property
    def slots(self) -> Mapping[str, frozenset[str]]:
        """For each word, the two content words after each of its occurrences."""
        found: dict[str, set[str]] = {}
        for index, word in enumerate(self.words):
            after = (one.stem for one in self.words[index + 1 : index + 3])
            found.setdefault(word.stem, set()).update(after)
        return {key: frozenset(after) for key, after in found.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        """The identifiers, and the words that are capitalised as names."""
        return self.identifier_keys.union(word.stem for word in self.words if word.is_name)

    @cached_property
    def labels(self) -> Sequence[Labels]:
        """For each figure, the words and other figures that qualify it, with their weights."""
        if self.row_labels is not None:
            return self.row_labels
        return label_figures(self.text, self.figures, self.words, self.identifiers)


def join(one: Reading, two: Reading) -> Reading:
    """Read two neighbouring sentences as one; each figure keeps its own labels."""
    shift = len(one.text) + 1
    return Reading(
        f"{one.text} {two.text}",
        [*one.words, *(w._replace(start=w.start + shift, end=w.end + shift) for w in two.words)],
        [
            *one.figures,
            *(replace(f, start=f.start + shift, end=f.end + shift) for f in two.figures),
        ],
        [*one.identifiers, *two.identifiers],
        [*one.labels, *two.labels],
    )


@lru_cache(maxsize=1024)
def read(text: str) -> Reading:
    """Read a sentence or a clause."""
    found = figures(text)
    names = read_identifiers(text)
    taken = [(one.start, one.end) for one in found] + [(one.start, one.end) for one in names]
    words = [
        word
        for word in content_words(text)
        if not any(word.start < end and start < word.end for start, end in taken)
    ]
    return Reading(text, words, found, names)


@dataclass(frozen=True)
class Row:
    """A row of a table, with its header and the scale that its caption gives."""

    text: str
    cells: Sequence[Cell]
    header: Sequence[Cell] = ()
    caption: Scale = field(default_factory=Scale)


def read_row(row: Row) -> Reading:
    """Read a row of a table; offsets are those of its cells."""
    label = row.cells[0].text
    label_scale = scale_of(label)
    row_label = _plain_labels(label, 1.0)
    words: list[Word] = []
    found: list[Figure] = []
    names: list[Identifier] = []
    labels: list[Labels] = []
    for column, cell in enumerate(row.cells):
        head = row.header[column].text if column < len(row.header) else ""
        part = read(cell.text)
        words += part.words
        names += part.identifiers
        in_cell = figures(cell.text, in_table=True)
        head_scale = scale_of(head)
        wider = Scale(row.caption.unit) if is_per_unit(label + " " + head) else row.caption
        scale = label_scale.over(head_scale.over(wider)) if column else Scale()
        own = part.labels if len(part.figures) == len(in_cell) else [{}] * len(in_cell)
        for index, figure in enumerate(in_cell):
            bare = (not part.words and len(in_cell) == 1) or figure.unit == scale.unit
            found.append(scale.apply(figure) if bare else figure)
            labels.append(
                {**_plain_labels(head, 1.0), **(row_label if column else {}), **own[index]}
            )
    columns = [
        figure
        for head, cell in zip(row.header, row.cells, strict=False)
        if cell.text
        for figure in figures(head.text)
    ]
    return Reading(row.text, words, found, names, labels, is_row=True, columns=columns)


@lru_cache(maxsize=1024)
def _plain_labels(text: str, weight: float) -> Labels:
    part = read(text)
    return {
        **{word.stem: weight for word in part.words},
        **{figure.key: weight * FIGURE_WEIGHT for figure in part.figures},
        **{name.key: weight * FIGURE_WEIGHT for name in part.identifiers},
    }


def context_labels(texts: Sequence[str], weight: float) -> dict[str, float]:
    """Return the words and figures of headings, lead-ins and titles as labels of a weight."""
    labels: dict[str, float] = {}
    for text in texts:
        for key, value in _plain_labels(text, weight).items():
            labels[key] = max(value, labels.get(key, 0.0))
    return labels
