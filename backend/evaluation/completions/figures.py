"""Figures in a text, and the ways in which a model gets them wrong."""

import random
import re
from decimal import ROUND_HALF_UP, Decimal

_ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = _ONES + [
    ten + (f"-{one}" if one else "") for ten in _TENS for one in ["", *_ONES[1:10]]
]  # WORDS[n] is n in words, to ninety-nine

_WORD = "|".join(sorted(WORDS[1:], key=len, reverse=True))
_NUMBER = r"\d(?:[\d,]*\d)?(?:\.\d+)?"
_UNIT = (
    r"%| per cent| percent\b| percentage points?| basis points| days| weeks| months| years| hours"
)
_FIGURE = re.compile(
    rf"[$€£]{_NUMBER}(?: (?:thousand|million|billion))?"
    rf"|\b(?:{_NUMBER}|{_WORD})(?:{_UNIT})"
)

_UNITS = {
    "%": (" percentage points", " basis points"),
    " per cent": (" percentage points", " basis points"),
    " percentage points": ("%", " basis points"),
    " basis points": ("%", " percentage points"),
    " days": (" weeks", " months", " years"),
    " months": (" days", " years"),
    " years": (" months", " days"),
    " hours": (" days", " weeks"),
}
_CURRENCIES = {"$": "€£", "€": "$£", "£": "$€"}
_SCALES = {
    " thousand": (" million", ""),
    " million": (" billion", " thousand", ""),
    " billion": (" million", ""),
}


def figures(text: str) -> list[str]:
    """Return the amounts, percentages and periods in `text`."""
    return _FIGURE.findall(re.sub(r"\s+", " ", text))


def kind(figure: str) -> str:
    """Return the unit of `figure`, the same for figures that can be confused, or ""."""
    if figure[0] in _CURRENCIES:
        return figure[0]
    unit = re.search(rf"(?:{_UNIT})$", figure)
    return "" if unit is None else unit[0].strip().replace("per cent", "%").replace("percent", "%")


def another_digit(rng: random.Random, figure: str) -> str | None:
    """Return `figure` with one digit or one number word changed."""
    digits = [match.start() for match in re.finditer(r"\d", figure)]
    if digits:
        at = rng.choice(digits)
        choices = [d for d in "123456789" if d != figure[at]]
        return figure[:at] + rng.choice(choices) + figure[at + 1 :]
    return _replace_word(rng, figure)


def another_word(rng: random.Random, figure: str) -> str | None:
    """Return `figure` with its whole number replaced by another number in words."""
    match = re.fullmatch(r"(\d{1,2})( [a-z ]+|%)", figure)
    if match is None:
        return _replace_word(rng, figure)
    return _near(rng, int(match[1])) + match[2].replace("%", " percent")


def another_unit(rng: random.Random, figure: str) -> str | None:
    """Return `figure` with another unit."""
    for unit, others in _UNITS.items():
        if figure.endswith(unit):
            return figure.removesuffix(unit) + rng.choice(others)
    return None


def another_currency(rng: random.Random, figure: str) -> str | None:
    """Return `figure` in another currency."""
    if figure[0] in _CURRENCIES:
        return rng.choice(_CURRENCIES[figure[0]]) + figure[1:]
    if figure.endswith(" dollars"):
        return figure.replace("dollars", rng.choice(["euros", "pounds"]))
    return None


def another_scale(rng: random.Random, figure: str) -> str | None:
    """Return `figure` a thousand or a million times as large or small."""
    for scale, others in _SCALES.items():
        if figure.endswith(scale):
            return figure.removesuffix(scale) + rng.choice(others)
    if figure.endswith(",000"):
        return figure.removesuffix(",000") + rng.choice([" million", " billion", ""])
    if figure[0] in _CURRENCIES:
        return figure + rng.choice([" thousand", " million"])
    return None


def rounded(rng: random.Random, figure: str, *, off_by_one: bool = False) -> str | None:
    """Return `figure` rounded to fewer digits; `off_by_one` makes its last digit wrong by one.

    None if the figure has a single digit, or if the result is a correct rounding after all.
    """
    match = re.search(_NUMBER, figure)
    if match is None:
        return None
    value = Decimal(match[0].replace(",", ""))
    digits = len(value.normalize().as_tuple().digits)
    if digits < 2:
        return None
    kept = rng.randrange(1, digits)
    unit = Decimal(1).scaleb(value.adjusted() - kept + 1)
    less = (value / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit
    if off_by_one:
        less += unit if rng.random() < 0.5 or less == unit else -unit
        shown = Decimal(1).scaleb(int(less.normalize().as_tuple().exponent))
        if abs(less - value) <= shown / 2:
            return None  # a correct rounding to fewer digits: the result may end in zeros
    if less == value:
        return None
    return figure[: match.start()] + f"{less:,f}" + figure[match.end() :]


def scaled(figure: str, factor: Decimal) -> str | None:
    """Return `figure` multiplied by `factor`, with as many decimal places."""
    match = re.search(_NUMBER, figure)
    if match is None or re.search(" (or|to) ", figure):
        return None
    value = Decimal(match[0].replace(",", ""))
    exponent = value.as_tuple().exponent
    changed = (value * factor).quantize(Decimal(1).scaleb(int(exponent)), ROUND_HALF_UP)
    if changed == value:
        return None
    return figure[: match.start()] + f"{changed:,f}" + figure[match.end() :]


def _replace_word(rng: random.Random, figure: str) -> str | None:
    match = re.search(rf"\b(?:{_WORD})\b", figure)
    if match is None:
        return None
    word = _near(rng, WORDS.index(match[0]), besides=figure)
    plural = "s" if match[0] == "one" and figure.endswith(("day", "week", "month", "year")) else ""
    return figure[: match.start()] + word + figure[match.end() :] + plural


def _near(rng: random.Random, number: int, besides: str = "") -> str:
    """Return another number of a similar size in words, which do not occur in `besides`."""
    near = range(max(2, number // 2), min(2 * number + 4, 100))
    return rng.choice([WORDS[n] for n in near if n != number and WORDS[n] not in besides])
