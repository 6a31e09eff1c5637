"""Numbers written in digits, in words, or in both, with their scale."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from chat.answers.lexicon import word_list

# More digits than any amount of money has.
_MAX_DIGITS: Final = 24

TOKEN: Final = re.compile(
    r"\d{1,3}(?:[,\u00a0\u202f\u2009]\d{3})+(?![\d])(?:\.\d+)?"
    r"|\d+(?:\.\d+)?|(?<![\w.])\.\d+"
    r"|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|[^\w\s]|_"
)

_UNITS: Final = {
    word: value
    for value, word in enumerate(
        word_list("""zero one two three four five six seven eight nine ten eleven twelve thirteen
fourteen
fifteen sixteen seventeen eighteen nineteen""")
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        word_list("""twenty thirty forty fifty sixty seventy eighty ninety"""), start=2
    )
}
_SCALES: Final = {
    "thousand": 3, "thousands": 3, "million": 6, "millions": 6, "mn": 6, "mln": 6, "mio": 6,
    "billion": 9, "billions": 9, "bn": 9, "bln": 9, "trillion": 12, "trillions": 12, "tn": 12,
}  # fmt: skip
_LETTERS: Final = {"k": 3, "m": 6, "b": 9, "mm": 6, "t": 12}
_VULGAR: Final = {
    "\u00bd": "0.5", "\u00bc": "0.25", "\u00be": "0.75", "\u215b": "0.125", "\u215c": "0.375",
    "\u215d": "0.625", "\u215e": "0.875",
}  # fmt: skip


class Token(NamedTuple):
    """A number in digits, a word, or a single mark."""

    text: str
    lowered: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text."""
    return [
        Token(match[0], match[0].lower().replace("\u2019", "'"), match.start(), match.end())
        for match in TOKEN.finditer(text)
    ]


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number without its unit.

    `step` is the value of one in the last digit that is shown: 100 for 1,900 and 0.01 for 2.50.
    """

    value: Decimal
    step: Decimal
    next: int
    """The index of the first token after it."""
    in_words: bool
    power: int = 0
    """The power of ten of the scale word, such as 6 for "3 million"."""


NUMBER_WORDS: Final = frozenset({*_UNITS, *_TENS, *_VULGAR, "a", "an"})
"""The words and fraction signs that a number may begin with."""


def power_of(word: str) -> int | None:
    """Return the power of ten that a scale word names."""
    return _SCALES.get(word)


def numeral_at(found: list[Token], index: int) -> Numeral | None:
    """Return the number that begins at a token."""
    token = found[index]
    if token.text[0].isdigit() or (token.text[0] == "." and len(token.text) > 1):
        return _digits(found, index)
    if token.text in _VULGAR:
        value = Decimal(_VULGAR[token.text])
        return Numeral(value, _step(value), index + 1, in_words=False)
    return _words(found, index)


def _digits(found: list[Token], index: int) -> Numeral | None:
    token = found[index]
    plain = re.sub(r"[^\d.]", "", token.text)
    if len(plain) > _MAX_DIGITS:
        return None
    value = Decimal(plain)
    step = _step(value)
    following = index + 1
    after = found[following] if following < len(found) else None
    if after is not None and after.start == token.end:
        if after.text in _VULGAR:
            value += Decimal(_VULGAR[after.text])
            return Numeral(value, _step(value), following + 1, in_words=False)
        if after.lowered in _LETTERS and after.text not in {"t", "b"}:
            return _scaled(value, step, _LETTERS[after.lowered], following + 1)
    half = _and_a_half(found, following)
    if half:
        value += Decimal("0.5")
        step, following = Decimal("0.1"), following + half
    if power := _scale_at(found, following):
        return _scaled(value, step, power, following + 1 + _is_hyphen(found, following))
    return Numeral(value, step, following, in_words=False)


def _scaled(value: Decimal, step: Decimal, power: int, following: int) -> Numeral:
    scale = Decimal(10) ** power
    # "About 2 million" is rounded to a million, "about 20 million" to ten million.
    return Numeral(value * scale, step * scale, following, in_words=False, power=power)


def _words(found: list[Token], index: int) -> Numeral | None:  # noqa: PLR0912
    total = group = 0
    position = index
    seen = False
    word = found[index].lowered
    if word in {"a", "an"} and _scale_word(found, index + 1):
        group, position, seen = 1, index + 1, True
    while position < len(found):
        word = found[position].lowered
        if (
            seen
            and word in {"-", "and", "\u2010", "\u2011"}
            and _joins_words(found, position, word)
        ):
            position += 1
            continue
        if word in _UNITS and (not group or group % 10 == 0) and not (seen and _UNITS[word] == 0):
            if group % 100 and _UNITS[word] > 9:
                break
            group += _UNITS[word]
        elif word in _TENS and group % 100 == 0:
            group += _TENS[word]
        elif word == "hundred" and 0 < group < 100:
            group *= 100
        elif word in {"thousand", "million", "billion", "trillion"} and group:
            total += group * 10 ** _SCALES[word]
            group = 0
        elif word == "dozen" and seen:
            group *= 12
        else:
            break
        seen = True
        position += 1
    if not seen or (position == index + 1 and found[index].lowered in {"a", "an"}):
        return None
    value = Decimal(total + group)
    if half := _and_a_half(found, position):
        value, position = value + Decimal("0.5"), position + half
        if power := _scale_at(found, position):
            value, position = value * Decimal(10) ** power, position + 1
    return Numeral(value, _step(value), position, in_words=True)


def _scale_word(found: list[Token], index: int) -> bool:
    return index < len(found) and found[index].lowered in {
        "hundred", "thousand", "million", "billion", "trillion", "dozen",
    }  # fmt: skip


def _joins_words(found: list[Token], index: int, joint: str) -> bool:
    """Whether a hyphen or an "and" joins two words of one number: "one hundred and twenty"."""
    if index + 1 >= len(found):
        return False
    before, after = found[index - 1].lowered, found[index + 1].lowered
    if joint == "and":
        return before in {"hundred", "thousand", "million"} and (after in _UNITS or after in _TENS)
    adjacent = found[index - 1].end == found[index].start == found[index + 1].start - 1
    return adjacent and (
        (before in _TENS and after in _UNITS) or after in {"hundred", "thousand", "million"}
    )


def _and_a_half(found: list[Token], index: int) -> int:
    """The number of tokens of "and a half" or "-and-a-half" at an index."""
    words = [token.lowered for token in found[index : index + 6] if token.text != "-"][:3]
    if words != ["and", "a", "half"]:
        return 0
    taken = 0
    for offset, token in enumerate(found[index : index + 6], start=1):
        taken = offset
        if token.lowered == "half":
            break
    return taken


def _scale_at(found: list[Token], index: int) -> int | None:
    index += _is_hyphen(found, index)
    return _SCALES.get(found[index].lowered) if index < len(found) else None


def _is_hyphen(found: list[Token], index: int) -> int:
    return int(
        index + 1 < len(found) and found[index].text == "-" and found[index + 1].lowered in _SCALES
    )


def _step(value: Decimal) -> Decimal:
    """The value of one in the last digit that is not a padding zero."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < 0:
        return Decimal(1).scaleb(exponent)
    step = Decimal(1)
    while value and value % (step * 10) == 0:
        step *= 10
    return step
