"""Fractions, multiples, ratios and ordinals."""

import re
from decimal import Decimal
from typing import Final

from chat.answers.figures import (
    BARE,
    FRACTION,
    POINTS,
    Figure,
)
from chat.answers.lexicon import word_list
from chat.answers.numbers.bounds import bound_after, bound_before
from chat.answers.numbers.periods import TIMES
from chat.answers.numbers.token_run import HYPHENS, TokenRun, is_number_at
from chat.answers.numerals import NUMBER_WORDS, power_of

_ORDINALS: Final = {
    word: value
    for value, words in enumerate(
        [
            "first 1st",
            "second 2nd",
            "third 3rd",
            "fourth 4th",
            "fifth 5th",
            "sixth 6th",
            "seventh 7th",
            "eighth 8th",
            "ninth 9th",
            "tenth 10th",
        ],
        start=1,
    )
    for word in words.split()
}
_PERIODS: Final = {"year", "month", "week", "day", "quarter", "decade", "century", "half"}
_FRACTIONS: Final = [
    (tuple(words.split()), value)
    for words, value in (
        ("a third", "0.3333"), ("one third", "0.3333"), ("one - third", "0.3333"),
        ("two thirds", "0.6667"), ("two - thirds", "0.6667"),
        ("a quarter", "0.25"), ("one quarter", "0.25"), ("one - quarter", "0.25"),
        ("three quarters", "0.75"), ("three - quarters", "0.75"),
        ("a fifth", "0.2"), ("one fifth", "0.2"), ("one - fifth", "0.2"),
        ("a tenth", "0.1"), ("one tenth", "0.1"), ("one - tenth", "0.1"),
    )
]  # fmt: skip
_FRACTION_BEGINNINGS: Final = frozenset(parts[0] for parts, _ in _FRACTIONS)
BEGINNINGS: Final = (
    NUMBER_WORDS
    | frozenset(_ORDINALS)
    | frozenset(
        word_list(
            """half twice double doubles doubled doubling triple triples tripled tripling thrice"""
        )
    )
)
MAY_COUNT: Final = re.compile(
    r"\b(?:"
    + "|".join(sorted(BEGINNINGS - set("\u00bd\u00bc\u00be\u215b\u215c\u215d\u215e") - {"a", "an"}))
    + r"|an? (?:\w+ or \w+|hundred|thousand|million|billion|trillion|dozen|third|quarter|"
    r"fifth|tenth)|(?:than|least|most) an? (?:year|month|week|day))|[\u00bd\u00bc\u00be]",
    re.IGNORECASE,
)


def multiple_at(  # noqa: PLR0911, PLR0912
    run: TokenRun, index: int
) -> tuple[Figure, int, int] | None:
    """Return a fraction, multiple, ratio or ordinal, its first token, and the token after it."""
    low, token = run.word(index), run.tokens[index]
    after = run.word(index + 1)

    def figure_of(value: str, unit: str, count: int) -> tuple[Figure, int, int]:
        end = run.tokens[index + count - 1].end
        bound = bound_before(run, index)
        figure = Figure(token.start, end, Decimal(value), unit, Decimal("0.01"), bound)
        return figure, index, index + count

    if low in {"a", "an"} and after in TIMES and (one := _one_time(run, index)):
        return one
    if low == "half" and after == "a" and (power := power_of(run.word(index + 2))):
        return figure_of(f"5e{power - 1}", BARE, 3)
    if low == "half" and run.word(index - 1) not in {
        "first", "second", "latter", "other", "better",
    }:  # fmt: skip
        if points := _of_a_point(run, index + 1):
            return figure_of("0.5", POINTS, 1 + points)
        return figure_of("0.5", FRACTION, 1)
    for parts, value in _FRACTIONS if low in _FRACTION_BEGINNINGS else ():
        if tuple(run.word(index + offset) for offset in range(len(parts))) == parts:
            behind = index + len(parts)
            if parts[-1].startswith("quarter") and run.word(behind) != "of":
                continue
            if points := _of_a_point(run, behind):
                return figure_of(value, POINTS, len(parts) + points)
            return figure_of(value, FRACTION, len(parts))
    if low in {"twice", "double", "doubles", "doubled", "doubling"}:
        return figure_of("2", "times", 1)
    if low in {"triple", "triples", "tripled", "tripling", "thrice"}:
        return figure_of("3", "times", 1)
    hyphen = after in HYPHENS and run.adjacent(index + 1)
    period = (run.word(index + 2) if hyphen else after).removesuffix("'s").rstrip("s")
    if low in _ORDINALS and period in _PERIODS:
        return figure_of(str(_ORDINALS[low]), f"ordinal {period}", 1)
    if low in _ORDINALS and is_number_at(run, index + 1):
        return figure_of(str(_ORDINALS[low]), "ordinal", 1)
    joined = token.text.isdigit() and len(token.text) <= 3 and run.adjacent(index + 1)
    if joined and (ratio := _ratio(run, index)):
        return ratio
    if token.text.isdigit() and after in {"st", "nd", "rd", "th"} and run.adjacent(index + 1):
        return figure_of(token.text, "ordinal", 2)
    return None


def _one_time(run: TokenRun, index: int) -> tuple[Figure, int, int] | None:
    """Read "a year or more" and "less than a year" as one year; "a year" alone is no figure."""
    following, bound = bound_after(run, index + 2)
    before = bound_before(run, index)
    bound = bound if bound in {"least", "most"} else ""
    if before in {"over", "under", "least"} and run.word(index - 1) != "over":
        bound = bound or before
    if not bound:
        return None
    start, end = run.tokens[index].start, run.tokens[following - 1].end
    unit = TIMES[run.word(index + 1)]
    return Figure(start, end, Decimal(1), unit, bound=bound), index, following


def _of_a_point(run: TokenRun, index: int) -> int:
    """The number of tokens of "of a point" or "a percentage point" at an index, or 0."""
    start = index + 1 if run.word(index) == "of" else index
    if run.word(start) != "a":
        return 0
    end = start + 2 if run.word(start + 1) == "percentage" else start + 1
    return end + 1 - index if run.word(end) == "point" else 0


def _ratio(run: TokenRun, index: int) -> tuple[Figure, int, int] | None:
    """Read 60/40, 50/30/20 and 50-30-20 as one figure."""
    mark = run.word(index + 1)
    if mark not in {"/", "-", "\u2013", "\u2011", ":"}:
        return None
    parts = [run.tokens[index].text]
    position = index + 1
    while (
        run.word(position) == mark
        and run.adjacent(position)
        and run.adjacent(position + 1)
        and run.word(position + 1).isdigit()
    ):
        parts.append(run.word(position + 1))
        position += 2
    if len(parts) < 2 or (mark not in {"/", ":"} and len(parts) < 3):
        return None
    key = Decimal("".join(part.zfill(4) for part in parts))
    start, end = run.tokens[index].start, run.tokens[position - 1].end
    return Figure(start, end, key, "ratio", bound=""), index, position
