"""Reads the figures of a text: numbers, percentages, amounts, dates and ranges."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from chat.answers.dates import Date, dates, identifiers, is_year
from chat.answers.figures import (
    AGE,
    BARE,
    BASIS_POINTS,
    BUSINESS_DAY,
    DATE,
    FRACTION,
    PERCENT,
    POINTS,
    Figure,
)
from chat.answers.lexicon import word_list
from chat.answers.numerals import NUMBER_WORDS, Numeral, Token, numeral_at, power_of, tokens
from chat.answers.words import stem

_SYMBOLS: Final = {"$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY", "\u20b9": "INR"}
_PREFIXES: Final = {
    "us": "USD",
    "c": "CAD",
    "ca": "CAD",
    "a": "AUD",
    "au": "AUD",
    "hk": "HKD",
    "nz": "NZD",
    "s": "SGD",
}
_CODES: Final = {
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "INR",
    "CHF",
    "CAD",
    "AUD",
    "HKD",
    "NZD",
    "SGD",
    "CNY",
    "SEK",
    "NOK",
    "DKK",
}
CURRENCIES: Final = frozenset(_CODES)
_CURRENCY_WORDS: Final = {
    "dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "pound": "GBP",
    "pounds": "GBP", "sterling": "GBP", "yen": "JPY", "rupee": "INR", "rupees": "INR",
    "franc": "CHF", "francs": "CHF", "cent": "cent", "cents": "cent", "pence": "pence",
}  # fmt: skip
_TIMES: Final = {
    form: unit
    for unit, forms in {
        "year": "year years yr yrs yo", "month": "month months mo mos", "week": "week weeks wk wks",
        "day": "day days", "hour": "hour hours hr hrs", "minute": "minute minutes min mins",
        "second": "seconds secs", "quarter": "quarters", "decade": "decade decades",
    }.items()
    for form in forms.split()
}  # fmt: skip
_RATES: Final = {
    "annually": "year", "yearly": "year", "annum": "year", "monthly": "month", "weekly": "week",
    "daily": "day", "quarterly": "quarter", "year": "year", "yr": "year", "month": "month",
    "mo": "month", "week": "week", "day": "day", "quarter": "quarter", "hour": "hour",
    "share": "share", "person": "person", "employee": "employee", "household": "household",
}  # fmt: skip
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

# The longest phrases stand first: "no more than" holds "more than".
_BEFORE: Final = [
    (tuple(phrase.split()), bound)
    for bound, phrases in (
        (
            "most",
            "no more than|not more than|never more than|never over|never above|"
            "not over|not exceeding|not to exceed|no later than|no "
            "longer than|no higher than|not exceed|never exceed|cannot exceed|can't exceed|"
            "won't exceed|doesn't exceed|don't exceed|isn't over|can't be over|cannot be over|"
            "can't be more than|cannot be more than|a maximum of|maximum of|a cap of|capped at|as "
            "much as|as high as|as many as|as long as|up to|at most|at the most|not above",
        ),
        (
            "least",
            "no less than|not less than|no fewer than|not fewer than|not under|not below|no "
            "lower than|a minimum of|minimum of|as little as|as low as|as few as|at least|"
            "starting at|not earlier than",
        ),
        (
            "nearly",
            "just under|just below|a little under|a bit under|slightly under|slightly below|"
            "slightly less than|nearly|almost|close to|not quite",
        ),
        (
            "over",
            "more than|greater than|higher than|larger than|longer than|older than|bigger than|"
            "in excess of|upwards of|just over|just above|over|above|exceeding|exceeds|exceed|"
            "exceeded|beyond|>",
        ),
        (
            "under",
            "less than|fewer than|lower than|smaller than|shorter than|younger than|cheaper "
            "than|under|below|beneath|<",
        ),
        ("most", "\u2264|maximum|within"),
        ("least", "\u2265|minimum"),
        (
            "about",
            "in the region of|in the order of|somewhere around|an estimated|about|around|"
            "roughly|approximately|approx|circa|some|near|~|\u2248|\u223c",
        ),
    )
    for phrase in phrases.split("|")
]
_AFTER: Final = [
    (tuple(phrase.split()), bound)
    for bound, phrases in (
        (
            "least",
            "or more|or higher|or above|or over|or older|or longer|or greater|or better|and up|"
            "and above|and over|and older|at a minimum|at least|and more|+",
        ),
        (
            "most",
            "or less|or fewer|or lower|or below|or under|or younger|at most|or shorter|and under|"
            "at the most|and below",
        ),
        ("about", "or so|or thereabouts"),
    )
    for phrase in phrases.split("|")
]  # fmt: skip
_BEFORE_BY_LAST: Final = {
    last: [entry for entry in _BEFORE if entry[0][-1] == last]
    for last in {phrase[-1] for phrase, _ in _BEFORE}
}
_AFTER_BY_FIRST: Final = {
    first: [entry for entry in _AFTER if entry[0][0] == first]
    for first in {phrase[0] for phrase, _ in _AFTER}
}
_ELIDED: Final = frozenset({PERCENT, POINTS, BASIS_POINTS, "year", "month", "week", "day"})
_RANGE_JOINTS: Final = {
    "to",
    "-",
    "\u2013",
    "\u2014",
    "\u2010",
    "\u2011",
    "\u2212",
    "through",
    "until",
}
_HYPHENS: Final = {"-", "\u2010", "\u2011", "\u2013"}
_MINUS: Final = {"-", "\u2212", "\u2013"}
_MAX_STEPS: Final = 20_000
_SUMS: Final = frozenset({"add", "adds", "added", "adding", "sum", "sums"})


_LOOSE: Final = frozenset(
    word_list(
        """additional full whole more consecutive further extra calendar fiscal short long entire"""
    )
)
_THRESHOLDS: Final = frozenset(
    word_list("threshold thresholds limit level income earnings balance value amount salary")
)
# Calendar days are days; five working days are a week.
_WORKING: Final = frozenset(word_list("business working trading banking"))
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
_BEGINNINGS: Final = (
    NUMBER_WORDS
    | frozenset(_ORDINALS)
    | frozenset(
        word_list(
            """half twice double doubles doubled doubling triple triples tripled tripling thrice"""
        )
    )
)


_DIGIT: Final = re.compile(r"\d")
_MAY_COUNT: Final = re.compile(
    r"\b(?:"
    + "|".join(
        sorted(_BEGINNINGS - set("\u00bd\u00bc\u00be\u215b\u215c\u215d\u215e") - {"a", "an"})
    )
    + r"|an? (?:\w+ or \w+|hundred|thousand|million|billion|trillion|dozen|third|quarter|"
    r"fifth|tenth)|(?:than|least|most) an? (?:year|month|week|day))|[\u00bd\u00bc\u00be]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name that holds digits, such as 401(k)."""

    start: int
    end: int
    key: str


def read_identifiers(text: str) -> list[Identifier]:
    """Return the identifiers of a text."""
    return [Identifier(*found) for found in identifiers(text)] if _DIGIT.search(text) else []


@lru_cache(maxsize=2048)
def figures(text: str, *, in_table: bool = False) -> Sequence[Figure]:
    """Return the figures of a text in their order.

    Args:
        text: A sentence, a table cell, or a longer text.
        in_table: Whether parentheses around a number make it negative in any case.
    """
    found: list[Figure] = []
    taken: list[tuple[int, int]] = []
    if _DIGIT.search(text):
        found = [
            Figure(start, end, Decimal(0), DATE, date=date) for start, end, date in dates(text)
        ]
        taken = [(figure.start, figure.end) for figure in found]
        taken += [(start, end) for start, end, _ in identifiers(text)]
    elif not _MAY_COUNT.search(text):
        return ()
    free = [
        token
        for token in tokens(text)
        if not any(token.start < end and start < token.end for start, end in taken)
    ][:_MAX_STEPS]
    found += _Reader(text, free, in_table).read()
    return tuple(sorted(found, key=lambda figure: figure.start))


class _Reader:
    """Reads the figures of a run of tokens that hold no date and no identifier."""

    def __init__(self, text: str, found: list[Token], in_table: bool) -> None:
        self._text = text
        self._tokens = found
        self._in_table = in_table

    def read(self) -> list[Figure]:
        figures: list[Figure] = []
        places: list[tuple[int, int]] = []
        index = 0
        while index < len(self._tokens):
            token = self._tokens[index]
            may_begin = token.text[0].isdigit() or token.text[0] == "." or token.low in _BEGINNINGS
            read = self._figure_at(index) if may_begin else None
            if read is None:
                index += 1
                continue
            figure, first, index = read
            figures.append(figure)
            places.append((first, index))
        return self._ranges(self._ellipses(figures, places), places)

    def _ellipses(self, figures: list[Figure], places: list[tuple[int, int]]) -> list[Figure]:
        """Give "about eight" its unit in "in about twelve years, at 9 % in about eight"."""
        for index, figure in enumerate(figures):
            ends = self._low(places[index][1]) in {"", ".", ",", ";", ")"}
            if figure.unit == BARE and figure.power:
                # "To 96 million euros from 103 million".
                money = [one for one in figures[:index] if one.power == figure.power]
                if money and money[-1].unit in CURRENCIES:
                    figures[index] = replace(figure, unit=money[-1].unit)
                    continue
            if figure.unit != BARE or not ends:
                continue
            lead = self._lead(places[index][0])
            for earlier in range(index):
                alike = self._lead(places[earlier][0]) == lead and (
                    lead or "about" == figure.bound == figures[earlier].bound
                )
                if alike and figures[earlier].unit in _ELIDED:
                    figures[index] = replace(figure, unit=figures[earlier].unit)
        return figures

    def _lead(self, first: int) -> str:
        """The preposition before a figure and its bound: "for" of "for up to ten"."""
        last = first - 1
        for phrase, _ in _BEFORE_BY_LAST.get(self._low(last), ()):
            if all(self._low(last - n) == word for n, word in enumerate(reversed(phrase))):
                last -= len(phrase)
                break
        word = self._low(last)
        return word if word in {"in", "by", "at", "to", "for", "of"} else ""

    def _low(self, index: int) -> str:
        return self._tokens[index].low if 0 <= index < len(self._tokens) else ""

    def _adjacent(self, index: int) -> bool:
        """Whether a token touches the one before it."""
        return 0 < index < len(self._tokens) and (
            self._tokens[index - 1].end == self._tokens[index].start
        )

    def _figure_at(self, index: int) -> tuple[Figure, int, int] | None:  # noqa: PLR0911
        token = self._tokens[index]
        if special := self._special(index):
            return special
        numeral = numeral_at(self._tokens, index)
        if numeral is None:
            return None
        pointed_at = self._low(index - 1) in {"the", "these", "those"}
        if (
            pointed_at
            and numeral.in_words
            and (self._low(numeral.next) or ".") in {".", ",", ":", ";", "?"}
        ):
            return None  # "Compare the two:" counts nothing.
        if not numeral.in_words and self._is_part_of_word(index, numeral):
            return None
        first, currency = self._currency_before(index)
        following, unit = self._unit_after(numeral.next)
        is_one = numeral.in_words and numeral.value == 1 and numeral.next == index + 1
        counted = self._is_counted_one(numeral.next) or self._low(index - 1) == "between"
        if unit == BARE and is_one and not counted:
            return None
        if currency and unit in _CURRENCY_WORDS.values():
            unit = currency
        elif currency and unit == BARE:
            unit, following = currency, numeral.next
        first, negative = self._sign(first, following)
        scale = Decimal(1)
        if negative == 2:
            following += 1
            if power := power_of(self._low(following)):
                scale, following = Decimal(10) ** power, following + 1
        if unit == BARE and not numeral.in_words and self._is_year(token, numeral):
            date = Date(int(token.text))
            return Figure(token.start, token.end, Decimal(0), DATE, date=date), index, index + 1
        if unit == BARE and self._low(index - 1) == "or" and self._low(index - 3) in {"a", "an"}:
            unit = _TIMES.get(self._low(index - 2), unit)  # "A day or two".
        unit, following = self._age(index, following, unit)
        bound = self._bound_before(first)
        if bound == "over" and unit in _TIMES.values() and self._low(first - 1) == "over":
            bound = "during"  # "Over thirty years" is as often during as more than.
        following, after = self._bound_after(following)
        per, following = self._rate(following, unit)
        value = (-numeral.value if negative else numeral.value) * scale
        start = self._tokens[first].start
        end = self._tokens[following - 1].end
        return (
            Figure(
                start,
                end,
                value,
                unit,
                numeral.step * scale,
                after or bound,
                per=per,
                power=numeral.power,
            ),
            first,
            following,
        )

    def _special(  # noqa: PLR0911, PLR0912
        self, index: int
    ) -> tuple[Figure, int, int] | None:
        """Fractions, multiples, ratios and ordinals."""
        low, token = self._low(index), self._tokens[index]
        after = self._low(index + 1)

        def made(value: str, unit: str, count: int) -> tuple[Figure, int, int]:
            end = self._tokens[index + count - 1].end
            bound = self._bound_before(index)
            figure = Figure(token.start, end, Decimal(value), unit, Decimal("0.01"), bound)
            return figure, index, index + count

        if low in {"a", "an"} and after in _TIMES and (one := self._one_time(index)):
            return one
        if low == "half" and after == "a" and (power := power_of(self._low(index + 2))):
            return made(f"5e{power - 1}", BARE, 3)
        if low == "half" and self._low(index - 1) not in {
            "first", "second", "latter", "other", "better",
        }:  # fmt: skip
            if points := self._of_a_point(index + 1):
                return made("0.5", POINTS, 1 + points)
            return made("0.5", FRACTION, 1)
        for parts, value in _FRACTIONS if low in _FRACTION_BEGINNINGS else ():
            if tuple(self._low(index + offset) for offset in range(len(parts))) == parts:
                behind = index + len(parts)
                if parts[-1].startswith("quarter") and self._low(behind) != "of":
                    continue
                if points := self._of_a_point(behind):
                    return made(value, POINTS, len(parts) + points)
                return made(value, FRACTION, len(parts))
        if low in {"twice", "double", "doubles", "doubled", "doubling"}:
            return made("2", "times", 1)
        if low in {"triple", "triples", "tripled", "tripling", "thrice"}:
            return made("3", "times", 1)
        hyphen = after in _HYPHENS and self._adjacent(index + 1)
        period = (self._low(index + 2) if hyphen else after).removesuffix("'s").rstrip("s")
        if low in _ORDINALS and period in _PERIODS:
            return made(str(_ORDINALS[low]), f"ordinal {period}", 1)
        if low in _ORDINALS and numeral_like(self._tokens, index + 1):
            return made(str(_ORDINALS[low]), "ordinal", 1)
        joined = token.text.isdigit() and len(token.text) <= 3 and self._adjacent(index + 1)
        if joined and (ratio := self._ratio(index)):
            return ratio
        if token.text.isdigit() and after in {"st", "nd", "rd", "th"} and self._adjacent(index + 1):
            return made(token.text, "ordinal", 2)
        return None

    def _one_time(self, index: int) -> tuple[Figure, int, int] | None:
        """The figure of "a year or more" and "less than a year"; "a year" alone counts nothing."""
        following, bound = self._bound_after(index + 2)
        before = self._bound_before(index)
        bound = bound if bound in {"least", "most"} else ""
        if before in {"over", "under", "least"} and self._low(index - 1) != "over":
            bound = bound or before
        if not bound:
            return None
        start, end = self._tokens[index].start, self._tokens[following - 1].end
        unit = _TIMES[self._low(index + 1)]
        return Figure(start, end, Decimal(1), unit, bound=bound), index, following

    def _of_a_point(self, index: int) -> int:
        """The number of tokens of "of a point" or "a percentage point" at an index, or 0."""
        start = index + 1 if self._low(index) == "of" else index
        if self._low(start) != "a":
            return 0
        end = start + 2 if self._low(start + 1) == "percentage" else start + 1
        return end + 1 - index if self._low(end) == "point" else 0

    def _ratio(self, index: int) -> tuple[Figure, int, int] | None:
        """60/40, 50/30/20 and 50-30-20: shares that only mean something together."""
        mark = self._low(index + 1)
        if mark not in {"/", "-", "\u2013", "\u2011", ":"}:
            return None
        parts = [self._tokens[index].text]
        position = index + 1
        while (
            self._low(position) == mark
            and self._adjacent(position)
            and self._adjacent(position + 1)
            and self._low(position + 1).isdigit()
        ):
            parts.append(self._low(position + 1))
            position += 2
        if len(parts) < 2 or (mark not in {"/", ":"} and len(parts) < 3):
            return None
        key = Decimal("".join(part.zfill(4) for part in parts))
        start, end = self._tokens[index].start, self._tokens[position - 1].end
        return Figure(start, end, key, "ratio", bound=""), index, position

    def _is_part_of_word(self, index: int, numeral: Numeral) -> bool:
        """Whether the digits belong to a name: CO2, v1.2, A4, 3M."""
        if self._adjacent(index):
            before = self._low(index - 1)
            if before == "_" or (
                before[0].isalpha()
                and before.upper() not in _CODES
                and before not in {"q", "fy", "us", "x"}
            ):
                return True
            if (
                before in {"-", "/"}
                and self._adjacent(index - 1)
                and self._low(index - 2)[:1].isalpha()
            ):
                return self._low(index - 2) not in _CURRENCY_WORDS and before == "-"
        if self._adjacent(numeral.next) and self._low(numeral.next)[:1].isalpha():
            low = self._low(numeral.next)
            return (
                low not in _TIMES
                and low not in {"x", "bp", "bps", "pp", "ppt", "pct", "st", "nd", "rd", "th"}
                and low.upper() not in _CODES
            )
        return False

    def _is_counted_one(self, following: int) -> bool:
        """Whether "one" without a unit is a count: "one to two", not "one of" or "one who"."""
        joint, after = self._low(following), self._low(following + 1)
        return joint in {"to", "-"} and (
            after[:1].isdigit()
            or (bool(after) and numeral_at(self._tokens, following + 1) is not None)
        )

    def _is_year(self, token: Token, numeral: Numeral) -> bool:
        return is_year(token.text) and numeral.value == int(token.text)

    def _currency_before(self, index: int) -> tuple[int, str]:
        before = index - 1
        if before < 0:
            return index, ""
        opened = self._low(before) == "(" and self._low(before - 1) in _SYMBOLS
        at = before - 1 if opened else before
        if at >= 1 and self._low(at) in _MINUS and self._low(at - 1) in _SYMBOLS:
            at -= 1
        text = self._tokens[at].text
        if text in _SYMBOLS:
            if self._adjacent(at) and self._low(at - 1) in _PREFIXES:
                return at - 1, _PREFIXES[self._low(at - 1)]
            return at, _SYMBOLS[text]
        if text in _CODES:
            return at, text
        return index, ""

    def _unit_after(self, index: int) -> tuple[int, str]:  # noqa: PLR0911, PLR0912
        hyphens = 1 if self._low(index) in _HYPHENS and self._adjacent(index + 1) else 0
        if self._low(index) == ")" and self._low(index + 1) == "%":
            return index + 2, PERCENT
        if self._low(index) == ")" and power_of(self._low(index + 1)):
            return index, BARE
        at = index + hyphens
        word, after = self._low(at), self._low(at + 1)
        if (
            word == "%"
            or word in {"percent", "pct", "percentage"}
            or (word, after) == ("per", "cent")
        ):
            width = 2 if word == "per" else 1
            next_word = self._low(at + width)
            if next_word in _HYPHENS and word == "percentage":
                width, next_word = width + 1, self._low(at + width + 1)
            if next_word in {"point", "points"}:
                return at + width + 1, POINTS
            return at + width, PERCENT
        if word in {"pp", "ppt", "ppts", "pps"}:
            return at + 1, POINTS
        if word in {"bp", "bps"}:
            return at + 1, BASIS_POINTS
        if word == "basis" and after in {"point", "points"}:
            return at + 2, BASIS_POINTS
        if word in {"us", "u.s."} and after in {"dollar", "dollars"}:
            return at + 2, "USD"
        if word in _CURRENCY_WORDS:
            return at + 1, _CURRENCY_WORDS[word]
        if word.upper() in _CODES and self._tokens[at].text.isupper():
            return at + 1, word.upper()
        if word in _SYMBOLS and not numeral_like(self._tokens, at + 1):
            return at + 1, _SYMBOLS[word]
        if (time := word.removesuffix("'s").removesuffix("'")) in _TIMES:
            return at + 1, _TIMES[time]
        if word in {"times", "occasions", "x", "\u00d7", "fold"} and not numeral_like(
            self._tokens, at + 1
        ):
            return at + 1, "times"
        if word in _WORKING and _TIMES.get(after) == "day":
            return at + 2, BUSINESS_DAY
        # "Three additional months", "five full years".
        if not hyphens and after in _TIMES and word.isalpha() and word in _LOOSE:
            return at + 2, _TIMES[after]
        return index, BARE

    def _sign(self, first: int, following: int) -> tuple[int, int]:  # noqa: PLR0911
        """The first token with the sign, and 0 for positive, 1 negative, 2 in parentheses."""
        before = self._low(first - 1)
        if self._low(first) in _SYMBOLS and self._low(first + 1) in _MINUS:
            return first, 1
        if before in {"minus", "negative"}:
            return first - 1, 1
        if before == "\u2212" and not self._joins(first - 1) and not self._is_operator(first):
            return first - 1, 1
        if before in _MINUS and self._adjacent(first) and not self._adjacent(first - 1):
            previous = self._low(first - 2)
            if not (previous and (previous[-1].isdigit() or previous == "%")):
                return first - 1, 1
        inner_open = self._low(first) in _SYMBOLS and self._low(first + 1) == "("
        if inner_open:
            return first, 2 if self._low(following) == ")" else 1
        if before == "(" and not self._is_call(first - 1):
            last = self._low(following - 1)
            if last == "%" and self._low(following - 2) == ")":
                return first - 1, 1
            if self._low(following) == ")":
                bare = first + 1 == following and self._tokens[first].text[0].isdigit()
                scaled = power_of(self._low(following + 1)) is not None
                if self._in_table or bare or scaled:
                    return first - 1, 2
        return first, 0

    def _is_operator(self, first: int) -> bool:
        """Whether the minus before a figure subtracts it: "5 % \u2212 3 %"."""
        previous = self._low(first - 2)
        return (
            not self._adjacent(first)
            and bool(previous)
            and (previous[-1].isalnum() or previous in "%)")
        )

    def _is_call(self, index: int) -> bool:
        return self._adjacent(index) and self._low(index - 1)[:1].isalnum()

    def _joins(self, index: int) -> bool:
        return self._adjacent(index) and self._low(index - 1)[-1:].isdigit()

    def _age(self, index: int, following: int, unit: str) -> tuple[str, int]:
        """The unit of an age, and the token behind it: "age 45", "45 years old"."""
        before = [self._low(index - offset) for offset in range(1, 4)]
        after = [self._low(following + offset) for offset in range(3)]
        if unit == BARE and (
            before[0] in {"age", "aged", "ages"}
            or before[:2] in (["of", "age"], ["than", "older"], ["than", "younger"])
        ):
            return AGE, following
        if unit == "year" and after[0] == "old":
            return AGE, following + 1
        if unit == "year" and after[0] == "-" and after[1] in {"old", "olds"}:
            return AGE, following + 2
        if unit == "year" and after[:2] == ["of", "age"]:
            return AGE, following + 2
        return unit, following

    def _bound_before(self, first: int) -> str:
        last = first - 2 if self._low(first - 1) in {"the", "a", "an", "."} else first - 1
        # "Above a threshold of 300,000" is above 300,000.
        if self._low(last) == "of" and self._low(last - 1) in _THRESHOLDS:
            article = next((n for n in range(2, 5) if self._low(last - n) in {"a", "an", "the"}), 1)
            last -= article + 1
        for phrase, bound in _BEFORE_BY_LAST.get(self._low(last), ()):
            begin = last - len(phrase) + 1
            if all(self._low(begin + offset) == word for offset, word in enumerate(phrase)):
                # "Spread over thirty years" compares nothing.
                spread = phrase == ("over",) and self._low(begin - 1) in {"spread", "carried"}
                # "Adds up to five" is five.
                spread = spread or (phrase == ("up", "to") and self._low(begin - 1) in _SUMS)
                if bound == "about" and (tighter := self._bound_before(begin)) in {
                    "over", "under", "least", "most",
                }:  # fmt: skip
                    return tighter  # "Below about five per cent".
                return "" if spread else bound
        return ""

    def _bound_after(self, index: int) -> tuple[int, str]:
        for phrase, bound in _AFTER_BY_FIRST.get(self._low(index), ()):
            if all(self._low(index + offset) == word for offset, word in enumerate(phrase)):
                return index + len(phrase), bound
        return index, ""

    def _rate(self, index: int, unit: str) -> tuple[str, int]:
        """What a figure is per: "a year" of "300 a year"."""
        if unit in _TIMES.values() or unit in {AGE, BUSINESS_DAY}:
            return "", index
        word, after = self._low(index), self._low(index + 1)
        if word in {"a", "an", "per", "each", "every", "/"} and after in _RATES:
            return _RATES[after], index + 2
        if word in {"annually", "yearly", "monthly", "weekly", "daily", "quarterly"}:
            return _RATES[word], index + 1
        start = index + 1 if word == "for" else index
        if self._low(start) in {"per", "each", "every"}:
            return stem(self._low(start + 1)), index  # "25 euros for each security"
        return "", index

    def _ranges(self, figures: list[Figure], places: list[tuple[int, int]]) -> list[Figure]:
        for index in range(len(figures) - 2, -1, -1):
            left, right = figures[index], figures[index + 1]
            between = self._tokens[places[index][1] : places[index + 1][0]]
            joint = [token.low for token in between]
            if len(joint) == 2 and joint[0] == "," and joint[1] in {"and", "or"}:
                joint = joint[1:]
            if len(joint) != 1 and not (not joint and right.value < 0 and not right.date):
                continue
            before = self._low(places[index][0] - 1)
            if before in {"age", "ages", "aged", "about", "roughly", "the"}:
                before = self._low(places[index][0] - 2)
            if not joint:
                # "3-5" reads as 3 and -5 where the sign touches its number.
                if not self._adjacent(places[index + 1][0]):
                    continue
                right = replace(right, value=-right.value)
                word = "-"
            else:
                word = joint[0]
            is_range = word in _RANGE_JOINTS or (word == "and" and before == "between")
            if not is_range and word not in {"or", "and", ","}:
                continue
            left = self._shared_unit(left, right, loose=not is_range)
            if is_range and (right.unit in (left.unit, BARE)):
                if right.unit == BARE and left.unit not in {BARE, DATE} and not right.date:
                    right = replace(right, unit=left.unit)
                low, high = ("from", "to") if before == "from" else ("low", "high")
                bound = left.bound or right.bound
                left = replace(left, end_of=low, bound=bound)
                right = replace(right, end_of=high, bound=bound)
            figures[index], figures[index + 1] = left, right
        return figures

    def _shared_unit(self, left: Figure, right: Figure, *, loose: bool) -> Figure:
        """A number without a unit or scale takes those of the next one: "3 to 3.5 million"."""
        if right.date or right.unit.startswith("ordinal") or (right.unit in {"ratio", FRACTION}):
            return left
        is_year = left.date is not None and left.key.endswith(f":{Date(left.date.year)}")
        trails = self._text[right.start] not in _SYMBOLS
        if is_year and left.date and not loose and trails and right.unit not in {BARE, DATE}:
            value = Decimal(left.date.year)
            left = replace(left, date=None, value=value, step=Decimal(1), unit=BARE)
        if left.date or (loose and not trails):
            return left  # "2,000 at 65 and $2,700 at 70" is no amount of 65 dollars.
        if left.unit == BARE:
            left = replace(left, unit=right.unit, per=left.per or right.per)
        same = right.unit in {left.unit, BARE}
        if same and right.power and not left.power and left.value < 1000:
            scale = Decimal(10) ** right.power
            left = replace(left, value=left.value * scale, step=left.step * scale)
        return left


def numeral_like(found: list[Token], index: int) -> bool:
    """Whether a number begins at an index."""
    return index < len(found) and numeral_at(found, index) is not None
