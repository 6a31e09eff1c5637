"""Reads the figures of a text: numbers, percentages, amounts, dates and ranges."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from chat.answers.dates import dates, identifiers
from chat.answers.figures import (
    DATE,
    Figure,
)
from chat.answers.numbers.figure_reader import read_figures
from chat.answers.numbers.multiples import MAY_COUNT
from chat.answers.numbers.token_run import TokenRun
from chat.answers.numerals import tokens

_DIGIT: Final = re.compile(r"\d")
_MAX_TOKENS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name that contains digits, such as 401(k)."""

    start: int
    end: int
    key: str


@lru_cache(maxsize=2048)
def read_identifiers(text: str) -> Sequence[Identifier]:
    """Return the identifiers of a text."""
    return tuple(Identifier(*found) for found in identifiers(text)) if _DIGIT.search(text) else ()


@lru_cache(maxsize=2048)
def figures(text: str, *, in_table: bool = False) -> Sequence[Figure]:
    """Return the figures of a text in their order.

    Args:
        text: A sentence, a table cell, or a longer text.
        in_table: Whether parentheses around any number make it negative.
    """
    found: list[Figure] = []
    taken: list[tuple[int, int]] = []
    if _DIGIT.search(text):
        found = [
            Figure(start, end, Decimal(0), DATE, date=date) for start, end, date in dates(text)
        ]
        taken = [(figure.start, figure.end) for figure in found]
        taken += [(one.start, one.end) for one in read_identifiers(text)]
    elif not MAY_COUNT.search(text):
        return ()
    free = [
        token
        for token in tokens(text)
        if not any(token.start < end and start < token.end for start, end in taken)
    ][:_MAX_TOKENS]
    found += read_figures(TokenRun(text, free, in_table))
    return tuple(sorted(found, key=lambda figure: figure.start))
