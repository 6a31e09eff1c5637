"""A sentence, clause or table row, read for a comparison: its words, figures and their labels."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final

from chat.answers.figures import Figure
from chat.answers.quantities import Identifier, figures, read_identifiers
from chat.answers.tables import Cell, Scale, is_per_unit, scale_of
from chat.answers.words import Word, content_words

_BREAK: Final = re.compile(
    r"[;:]|\s[\u2014\u2013-]\s|\u2014|,(?!\d)|[()]|"
    r"\bfollowed by\b|\b(?:while|whereas|but|versus|vs|compared|although|though|however|plus|"
    r"against)\b|"
    r"(?<!\d\s)\b(?:and|or)\b|\b(?:and|or)\b(?!\s\d)",  # not that of "between 25 and 35"
    re.IGNORECASE,
)
_STRENGTH: Final = {
    ",": 2.0,
    "(": 2.0,
    ")": 2.0,
    "and": 1.5,
    "or": 1.5,
    "plus": 1.5,
    "against": 1.5,
}
_STRONG: Final = 3.0
_LISTED: Final = re.compile(
    r"[\s,/&$\u20ac\u00a3()\u2013\u2014-]*(?:(?:or|and|to|through)\b)?[\s$\u20ac\u00a3-]*",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(r"\([^()]*\)")
_VERB: Final = re.compile(r"\s+(?:is|are|was|were|has|have|goes|go)\b")
_RESPECTIVELY: Final = re.compile(r"\brespectively\b", re.IGNORECASE)

# A figure as the label of another, such as the year of an amount, says more than a word does.
_FIGURE_WEIGHT: Final = 1.5

# Words before the first of several figures often belong to all of them. How much less they say of
# the later ones is limited, so that one label of their own outweighs them.
_PREFIX_LESS: Final = 0.25
_PREFIX_LESS_IN_ALL: Final = 0.8
BETWEEN_WEIGHT: Final = 0.6
_SHORTENED: Final = 1

# "Net income (loss)" names a line of a statement whichever it is.
_EITHER_WAY: Final = re.compile(
    r"\((?:loss|losses|deficit|decrease|gain|used in)[^()]{0,40}\)", re.IGNORECASE
)

Labels = Mapping[str, float]


@dataclass(frozen=True)
class Reading:
    """What a stretch of text says, as far as the checker reads it."""

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
        """The text with blanks in the place of its figures."""
        if self.is_row:
            return _EITHER_WAY.sub(" ", self.text)
        text = self.text
        for figure in self.figures:
            text = text[: figure.start] + " " * (figure.end - figure.start) + text[figure.end :]
        return text

    @cached_property
    def slots(self) -> Mapping[str, frozenset[str]]:
        """For each word, the content words that follow it closely, wherever it stands."""
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
        return _bind(self)


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
    """A row of a table with what its header and caption say."""

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
        own = _bind(part) if len(part.figures) == len(in_cell) else [{}] * len(in_cell)
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
        **{figure.key: weight * _FIGURE_WEIGHT for figure in part.figures},
        **{name.key: weight * _FIGURE_WEIGHT for name in part.identifiers},
    }


def context_labels(texts: Sequence[str], weight: float) -> dict[str, float]:
    """Return the words and figures of headings, lead-ins and titles as weak labels."""
    labels: dict[str, float] = {}
    for text in texts:
        for key, value in _plain_labels(text, weight).items():
            labels[key] = max(value, labels.get(key, 0.0))
    return labels


def _bind(reading: Reading) -> Sequence[Labels]:
    labels: list[dict[str, float]] = [{} for _ in reading.figures]
    kinds: dict[str, list[int]] = {}
    for index, figure in enumerate(reading.figures):
        kinds.setdefault(figure.unit, []).append(index)
    entries = sorted(
        [(word.start, word.stem, 1.0, "") for word in reading.words]
        + [(name.start, name.key, _FIGURE_WEIGHT, "") for name in reading.identifiers]
        + [
            (figure.start, figure.key, _FIGURE_WEIGHT, figure.unit or "number")
            for figure in reading.figures
        ]
    )
    for kind, members in kinds.items():
        own = [entry for entry in entries if entry[3] != (kind or "number")]
        clusters = _clusters(reading, members, own)
        if len(clusters) == 1:
            only = {key: weight for _, key, weight, _ in own}
            for index in clusters[0]:
                labels[index] = only
            if len(members) > 1 and _RESPECTIVELY.search(reading.text):
                _pair_in_order(reading, members, labels, own)
            continue
        for cluster, segment in zip(clusters, _segments(reading, clusters, own), strict=True):
            for index in cluster:
                labels[index] = segment
    return labels


Entry = tuple[int, str, float, str]


def _clusters(reading: Reading, members: Sequence[int], own: Sequence[Entry]) -> list[list[int]]:
    """Group figures of one kind between which nothing is said: "fifteen or thirty years"."""
    clusters = [[members[0]]]
    for before, index in itertools.pairwise(members):
        start, end = reading.figures[before].end, reading.figures[index].start
        listed = _LISTED.fullmatch(reading.text, start, max(start, end))
        # "The payment is 389 and 2,995 is due" lists nothing.
        parted = _VERB.match(reading.text, reading.figures[index].end) and _VERB.search(
            reading.text, 0, reading.figures[clusters[-1][0]].start
        )
        if parted or not listed or any(start <= entry[0] < end for entry in own):
            clusters.append([index])
        else:
            clusters[-1].append(index)
    return clusters


def _segments(
    reading: Reading, clusters: Sequence[Sequence[int]], own: Sequence[Entry]
) -> list[dict[str, float]]:
    spans = [
        (reading.figures[cluster[0]].start, reading.figures[cluster[-1]].end)
        for cluster in clusters
    ]
    cuts = [_cut(reading.text, end, start) for (_, end), (start, _) in itertools.pairwise(spans)]
    segments: list[dict[str, float]] = [{} for _ in clusters]
    prefix = [entry for entry in own if entry[0] < spans[0][0]]
    less = min(_PREFIX_LESS, _PREFIX_LESS_IN_ALL / (len(prefix) or 1))
    for position, key, weight, _ in own:
        if position < spans[0][0]:
            for number, segment in enumerate(segments):
                _add(segment, key, weight * (1.0 if number == 0 else 1.0 - less))
            continue
        gap = max(number for number, (start, _) in enumerate(spans) if start <= position)
        if gap == len(cuts):
            _add(segments[gap], key, weight)
        elif cuts[gap] is None:
            _add(segments[gap], key, weight * BETWEEN_WEIGHT)
            _add(segments[gap + 1], key, weight * BETWEEN_WEIGHT)
        else:
            _add(segments[gap + (position >= (cuts[gap] or 0))], key, weight)
    _complete(reading.text, segments, cuts, own)
    return segments


def _complete(
    text: str, segments: list[dict[str, float]], cuts: Sequence[int | None], own: Sequence[Entry]
) -> None:
    """Give a shortened clause the words of the one before.

    In "shares returned 17 % in 2024 and bonds 1 %" the bonds did so too, and in 2024.
    """
    for number, cut in enumerate(cuts, start=1):
        if cut is None or text[cut] in ";:":
            continue
        following = cuts[number] if number < len(cuts) else None
        words = [e for e in own if e[0] >= cut and (following is None or e[0] < following)]
        if len(words) <= _SHORTENED:
            for key, weight in segments[number - 1].items():
                segments[number].setdefault(key, weight * BETWEEN_WEIGHT)


def _add(labels: dict[str, float], key: str, weight: float) -> None:
    labels[key] = max(weight, labels.get(key, 0.0))


def _cut(text: str, start: int, end: int) -> int | None:
    """Where the words between two figures stop belonging to the first."""
    best: int | None = None
    strength = 0.0
    previous_end = -1
    previous_strength = 0.0
    for match in _BREAK.finditer(text, start, end):
        if match[0] in "()" and _ASIDE.search(text, start, end):
            continue  # "3 % (at least 5 dollars) for a month and 5 % later" breaks at "and".
        here = _STRENGTH.get(match[0].lower(), _STRONG)
        adjacent = not text[previous_end : match.start()].strip() if previous_end >= 0 else False
        total = here + (previous_strength if adjacent else 0.0)
        if total > strength:
            strength = total
            best = match.start()
        previous_end, previous_strength = match.end(), here
    return best


def _pair_in_order(
    reading: Reading,
    members: Sequence[int],
    labels: list[dict[str, float]],
    own: Sequence[Entry],
) -> None:
    """Pair labels and figures of "stocks and bonds returned 4 and 7 per cent respectively"."""
    first = reading.figures[members[0]].start
    last = reading.figures[members[-1]].end
    before = [entry for entry in own if entry[0] < first]
    side = before if len(before) >= len(members) else [entry for entry in own if entry[0] > last]
    joints = [
        match
        for match in re.finditer(r",\s*(?:and\s+)?|\band\b", reading.text)
        if (side and side[0][0] < match.start() < side[-1][0])
    ][: len(members) - 1]
    if len(joints) != len(members) - 1:
        return
    for rank, index in enumerate(members):
        low = joints[rank - 1].end() if rank else 0
        if rank < len(joints):
            high = joints[rank].start()
        else:
            # The last label is the word after the last "and"; the verb follows it.
            later = [entry for entry in side if entry[0] >= low]
            high = later[0][0] + 1 if later else low
        others = {
            entry[1] for entry in side if not low <= entry[0] < high and entry[0] < joints[-1].end()
        }
        if rank != len(members) - 1:
            tail = [entry for entry in side if entry[0] >= joints[-1].end()]
            others |= {tail[0][1]} if tail else set()
        labels[index] = {key: weight for _, key, weight, _ in own if key not in others}
