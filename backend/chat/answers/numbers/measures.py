"""The unit after a number."""

from chat.answers.figures import (
    BARE,
    BASIS_POINTS,
    BUSINESS_DAY,
    PERCENT,
    POINTS,
)
from chat.answers.numbers.currencies import CODES, CURRENCY_WORDS, SYMBOLS
from chat.answers.numbers.periods import LOOSE_WORDS, TIMES, WORKING
from chat.answers.numbers.token_run import HYPHENS, TokenRun, is_number_at
from chat.answers.numerals import power_of


def unit_after(run: TokenRun, index: int) -> tuple[int, str]:  # noqa: PLR0911, PLR0912
    """Return the index after the unit that begins at an index, and the unit."""
    hyphens = 1 if run.word(index) in HYPHENS and run.adjacent(index + 1) else 0
    if run.word(index) == ")" and run.word(index + 1) == "%":
        return index + 2, PERCENT
    if run.word(index) == ")" and power_of(run.word(index + 1)):
        return index, BARE
    at = index + hyphens
    word, after = run.word(at), run.word(at + 1)
    if word == "%" or word in {"percent", "pct", "percentage"} or (word, after) == ("per", "cent"):
        width = 2 if word == "per" else 1
        next_word = run.word(at + width)
        if next_word in HYPHENS and word == "percentage":
            width, next_word = width + 1, run.word(at + width + 1)
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
    if word in CURRENCY_WORDS:
        return at + 1, CURRENCY_WORDS[word]
    if word.upper() in CODES and run.tokens[at].text.isupper():
        return at + 1, word.upper()
    if word in SYMBOLS and not is_number_at(run, at + 1):
        return at + 1, SYMBOLS[word]
    if (time := word.removesuffix("'s").removesuffix("'")) in TIMES:
        return at + 1, TIMES[time]
    if word in {"times", "occasions", "x", "\u00d7", "fold"} and not is_number_at(run, at + 1):
        return at + 1, "times"
    if word in WORKING and TIMES.get(after) == "day":
        return at + 2, BUSINESS_DAY
    # "Three additional months", "five full years".
    if not hyphens and after in TIMES and word.isalpha() and word in LOOSE_WORDS:
        return at + 2, TIMES[after]
    return index, BARE
