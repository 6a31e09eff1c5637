"""The labels of each figure of a text: the words and other figures that qualify it."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from chat.answers.figures import Figure
from chat.answers.quantities import Identifier
from chat.answers.words import Word

_BREAK: Final = re.compile(
    r"[;:]|\s[\u2014\u2013-]\s|\u2014|,(?!\d)|[()]|"
    r"\bfollowed by\b|\b(?:while|whereas|but|versus|vs|compared|although|though|however|plus|"
    r"against)\b|"
    r"(?<!\d\s)\b(?:and|or)\b|\b(?:and|or)\b(?!\s\d)",  # but not the "and" of "between 25 and 35"
    re.IGNORECASE,
)
_BREAK_STRENGTHS: Final = {
    ",": 2.0,
    "(": 2.0,
    ")": 2.0,
    "and": 1.5,
    "or": 1.5,
    "plus": 1.5,
    "against": 1.5,
}
_STRONGEST_BREAK: Final = 3.0
_LIST_SEPARATOR: Final = re.compile(
    r"[\s,/&$\u20ac\u00a3()\u2013\u2014-]*(?:(?:or|and|to|through)\b)?[\s$\u20ac\u00a3-]*",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(r"\([^()]*\)")
_VERB: Final = re.compile(r"\s+(?:is|are|was|were|has|have|goes|go)\b")
_RESPECTIVELY: Final = re.compile(r"\brespectively\b", re.IGNORECASE)

# A figure that labels another one, such as the year of an amount, identifies it better than a word.
FIGURE_WEIGHT: Final = 1.5

# Words before the first of several figures often belong to all of them. They count less for the
# later figures, but the total loss is limited: one label of a figure's own must outweigh it.
_PREFIX_LOSS: Final = 0.25
_MAX_PREFIX_LOSS: Final = 0.8
BETWEEN_WEIGHT: Final = 0.6
_SHORTENED_ENTRIES: Final = 1

Labels = Mapping[str, float]
"""Weights by the key of a word, an identifier or a figure."""


class _Entry(NamedTuple):
    """A word, identifier or figure that may label a figure; `kind` is the unit of a figure."""

    position: int
    key: str
    weight: float
    kind: str


def label_figures(
    text: str, figures: Sequence[Figure], words: Sequence[Word], names: Sequence[Identifier]
) -> list[Labels]:
    """Return the labels of each figure of a text.

    Figures of one unit compete for the words between them: each word labels the figure on its side
    of the strongest break, or both figures if nothing separates them.
    """
    labels: list[Labels] = [{} for _ in figures]
    kinds: dict[str, list[int]] = {}
    for index, figure in enumerate(figures):
        kinds.setdefault(_kind(figure), []).append(index)
    all_entries = sorted(
        [_Entry(word.start, word.stem, 1.0, "") for word in words]
        + [_Entry(name.start, name.key, FIGURE_WEIGHT, "") for name in names]
        + [_Entry(one.start, one.key, FIGURE_WEIGHT, _kind(one)) for one in figures]
    )
    for kind, indices in kinds.items():
        entries = [entry for entry in all_entries if entry.kind != kind]
        clusters = _clusters(text, figures, indices, entries)
        if len(clusters) == 1:
            for index in clusters[0]:
                labels[index] = {entry.key: entry.weight for entry in entries}
            if len(indices) > 1 and _RESPECTIVELY.search(text):
                _pair_in_order(text, figures, indices, labels, entries)
            continue
        cluster_labels = _label_clusters(text, figures, clusters, entries)
        for cluster, shared in zip(clusters, cluster_labels, strict=True):
            for index in cluster:
                labels[index] = shared
    return labels


def _kind(figure: Figure) -> str:
    return figure.unit or "number"


def _clusters(
    text: str, figures: Sequence[Figure], indices: Sequence[int], entries: Sequence[_Entry]
) -> list[list[int]]:
    """Group figures that only list separators part, such as "fifteen or thirty years"."""
    clusters = [[indices[0]]]
    for before, index in itertools.pairwise(indices):
        start, end = figures[before].end, figures[index].start
        listed = _LIST_SEPARATOR.fullmatch(text, start, max(start, end))
        # "The payment is 389 and 2,995 is due" contains no list.
        has_own_verb = _VERB.match(text, figures[index].end) and _VERB.search(
            text, 0, figures[clusters[-1][0]].start
        )
        if has_own_verb or not listed or any(start <= one.position < end for one in entries):
            clusters.append([index])
        else:
            clusters[-1].append(index)
    return clusters


def _label_clusters(
    text: str,
    figures: Sequence[Figure],
    clusters: Sequence[Sequence[int]],
    entries: Sequence[_Entry],
) -> list[dict[str, float]]:
    spans = [(figures[cluster[0]].start, figures[cluster[-1]].end) for cluster in clusters]
    boundaries = [_boundary(text, end, start) for (_, end), (start, _) in itertools.pairwise(spans)]
    labels: list[dict[str, float]] = [{} for _ in clusters]
    prefix = [entry for entry in entries if entry.position < spans[0][0]]
    loss = min(_PREFIX_LOSS, _MAX_PREFIX_LOSS / (len(prefix) or 1))
    for position, key, weight, _ in entries:
        if position < spans[0][0]:
            for number, one in enumerate(labels):
                _add(one, key, weight * (1.0 if number == 0 else 1.0 - loss))
            continue
        gap = max(number for number, (start, _) in enumerate(spans) if start <= position)
        if gap == len(boundaries):
            _add(labels[gap], key, weight)
        elif boundaries[gap] is None:
            _add(labels[gap], key, weight * BETWEEN_WEIGHT)
            _add(labels[gap + 1], key, weight * BETWEEN_WEIGHT)
        else:
            _add(labels[gap + (position >= (boundaries[gap] or 0))], key, weight)
    _complete_shortened_clauses(text, labels, boundaries, entries)
    return labels


def _complete_shortened_clauses(
    text: str,
    labels: list[dict[str, float]],
    boundaries: Sequence[int | None],
    entries: Sequence[_Entry],
) -> None:
    """Give a shortened clause the labels of the clause before it.

    In "shares returned 17 % in 2024 and bonds 1 %", 2024 and "returned" label 1 % as well.
    """
    for number, start in enumerate(boundaries, start=1):
        if start is None or text[start] in ";:":
            continue
        end = boundaries[number] if number < len(boundaries) else None
        own = [
            one for one in entries if one.position >= start and (end is None or one.position < end)
        ]
        if len(own) <= _SHORTENED_ENTRIES:
            for key, weight in labels[number - 1].items():
                labels[number].setdefault(key, weight * BETWEEN_WEIGHT)


def _add(labels: dict[str, float], key: str, weight: float) -> None:
    labels[key] = max(weight, labels.get(key, 0.0))


def _boundary(text: str, start: int, end: int) -> int | None:
    """The offset at which the words between two figures begin to label the second one."""
    best: int | None = None
    best_strength = 0.0
    previous_end = -1
    previous_strength = 0.0
    for match in _BREAK.finditer(text, start, end):
        if match[0] in "()" and _ASIDE.search(text, start, end):
            continue  # "3 % (at least 5 dollars) for a month and 5 % later" breaks at "and".
        own_strength = _BREAK_STRENGTHS.get(match[0].lower(), _STRONGEST_BREAK)
        adjacent = not text[previous_end : match.start()].strip() if previous_end >= 0 else False
        strength = own_strength + (previous_strength if adjacent else 0.0)
        if strength > best_strength:
            best_strength = strength
            best = match.start()
        previous_end, previous_strength = match.end(), own_strength
    return best


def _pair_in_order(
    text: str,
    figures: Sequence[Figure],
    indices: Sequence[int],
    labels: list[Labels],
    entries: Sequence[_Entry],
) -> None:
    """Pair labels and figures of "stocks and bonds returned 4 and 7 per cent respectively"."""
    first = figures[indices[0]].start
    last = figures[indices[-1]].end
    side = [entry for entry in entries if entry.position < first]
    if len(side) < len(indices):
        side = [entry for entry in entries if entry.position > last]
    joints = [
        match
        for match in re.finditer(r",\s*(?:and\s+)?|\band\b", text)
        if (side and side[0].position < match.start() < side[-1].position)
    ][: len(indices) - 1]
    if len(joints) != len(indices) - 1:
        return
    for rank, index in enumerate(indices):
        low = joints[rank - 1].end() if rank else 0
        if rank < len(joints):
            high = joints[rank].start()
        else:
            # The last label is the word after the last "and"; the verb follows it.
            later = [entry for entry in side if entry.position >= low]
            high = later[0].position + 1 if later else low
        others = {
            entry.key
            for entry in side
            if not low <= entry.position < high and entry.position < joints[-1].end()
        }
        if rank != len(indices) - 1:
            tail = [entry for entry in side if entry.position >= joints[-1].end()]
            others |= {tail[0].key} if tail else set()
        labels[index] = {entry.key: entry.weight for entry in entries if entry.key not in others}
