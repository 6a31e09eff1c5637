"""Whether a claim gives a figure the date, column, neighbour or label of another figure."""

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import Figure
from chat.answers.labelling import BETWEEN_WEIGHT
from chat.answers.labels.matching import agree, comparable
from chat.answers.passages import Statement

_THAN_DATE: Final = re.compile(r"\b(?:more|less|higher|lower|fewer) than (?:in |on |at )?\Z")
_NEAR_DATE: Final = 24
_AT: Final = re.compile(r"\s+(?:at|for|from|after|by)\s+(?:age\s+)?", re.IGNORECASE)
_CLAUSE: Final = re.compile(r";\s+|,?\s+(?=(?:while|whereas|but)\b)")


def takes_label(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a claim gives a figure the label of another figure instead of its own."""
    if claim.reading.is_row:
        return False  # The order of a row's words does not show what belongs together.
    figure = claim.reading.figures[index]
    mine = {key for key, weight in claim.reading.labels[index].items() if weight >= 1}
    claim_stems = claim.reading.stems
    labels = statement.reading.labels
    results: list[bool] = []
    for number, one in enumerate(statement.reading.figures):
        if not agree(figure, claim, statement, one):
            continue
        theirs = labels[number]
        beside = {
            key
            for other, around in zip(statement.reading.figures, labels, strict=True)
            if other is not one and comparable(other, one)
            for key, weight in around.items()
            if weight >= 1
        }
        foreign = {
            key
            for key in mine & statement.reading.stems & beside
            if not _is_own(theirs.get(key, 0))
        }
        unclaimed = [
            key
            for key, weight in theirs.items()
            if weight >= 1 and key not in claim_stems and key in statement.reading.stems
        ]
        results.append(
            any(
                claim.reading.slots.get(one, frozenset())
                & statement.reading.slots.get(other, frozenset())
                for one in foreign
                for other in unclaimed
            )
        )
    return bool(results) and all(results)


def dates_agree(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a claim and the source give a figure the same date, or one of them gives none."""
    figure = claim.reading.figures[index]
    mine = _dates_of(claim.reading.labels[index])
    if not mine:
        return True
    if _in_clause_of_other_date(claim, figure, statement):
        return False
    agreed = [
        (_dates_of(statement.labels[number]), _dates_of_others(statement, number))
        for number, one in enumerate(statement.reading.figures)
        if agree(figure, claim, statement, one)
    ]
    if not agreed:
        return True
    return any(
        not theirs or mine & (theirs - others) or (theirs <= others and not mine & others)
        for theirs, others in agreed
    )


def follows_another(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a claim such as "1,400 at 70" mixes pairs of "1,400 at 62 and 2,480 at 70"."""
    figures = claim.reading.figures
    if index + 1 == len(figures) or not _follows(claim.reading.text, figures, index):
        return False
    found = statement.reading.figures
    pairs = [
        (one, two)
        for place, (one, two) in enumerate(itertools.pairwise(found))
        if _follows(statement.reading.text, found, place)
        and agree(figures[index + 1], claim, statement, two)
        and comparable(one, figures[index])
    ]
    return bool(pairs) and not any(agree(figures[index], claim, statement, one) for one, _ in pairs)


def _follows(text: str, figures: Sequence[Figure], index: int) -> bool:
    return _AT.fullmatch(text, figures[index].end, figures[index + 1].start) is not None


def _in_clause_of_other_date(claim: Claim, figure: Figure, statement: Statement) -> bool:
    """Whether the source's clause with a figure has dates, but not the claim's date."""
    if statement.reading.is_row or claim.reading.is_row:
        return False
    mine = [one for one in claim.reading.figures if one.date]
    if len(mine) != 1:
        return False
    text, found = statement.reading.text, statement.reading.figures
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    results: list[bool] = []
    for one in found:
        if not agree(figure, claim, statement, one):
            continue
        low = max(cut for cut in cuts if cut <= one.start)
        high = min(cut for cut in cuts if cut > one.start)
        beside = [other for other in found if other.date and low <= other.start < high]
        results.append(bool(beside) and not any(mine[0].agrees_with(other) for other in beside))
    return bool(results) and all(results)


def in_other_column(claim: Claim, index: int, statement: Statement) -> bool:
    """Whether a row's figure is in another column than in the source's row."""
    if claim.reading.row_labels is None or statement.reading.row_labels is None:
        return False
    mine = claim.reading.row_labels[index].keys()
    rows = statement.reading.row_labels
    counts = Counter(key for one in rows for key in one)
    shared = {key for key, count in counts.items() if count > 1}
    agreed = {
        number
        for number, one in enumerate(statement.reading.figures)
        if agree(claim.reading.figures[index], claim, statement, one)
    }
    if not agreed or any((rows[number].keys() - shared) & mine for number in agreed):
        return False
    return any(
        (head := rows[number].keys() - shared) and head <= mine
        for number in range(len(rows))
        if number not in agreed
    )


def _dates_of_others(statement: Statement, index: int) -> set[str]:
    """The dates that belong to one other figure only.

    In "77,280 in 2023, 5.9 % more than in 2022" the last year belongs to 5.9 %. In "95.8 % (June
    2024: 95.1 %)" the date belongs to 95.1 %.
    """
    text, found = statement.reading.text, statement.reading.figures
    others: set[str] = set()
    for number, one in enumerate(found):
        if one.date is None:
            continue
        owner: int | None = None
        if _THAN_DATE.search(text, max(0, one.start - _NEAR_DATE), one.start):
            owner = next((n for n in range(number - 1, -1, -1) if not found[n].date), None)
        elif text[: one.start].endswith("(") and text[one.end :].lstrip().startswith(":"):
            owner = next((n for n in range(number + 1, len(found)) if not found[n].date), None)
        if owner not in {None, index}:
            others.add(f"{one.key}")
    return others


def _is_own(weight: float) -> bool:
    """Whether a label is a figure's own, and not a prefix that several figures share."""
    return weight >= 1 or 0 < weight <= BETWEEN_WEIGHT


def _dates_of(labels: Mapping[str, float]) -> set[str]:
    return {key for key, weight in labels.items() if key.startswith("date:") and weight >= 1}
