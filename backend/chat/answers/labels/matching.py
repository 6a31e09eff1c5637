"""Whether a figure of a claim agrees with one of a source, which may omit the unit."""

import re
from dataclasses import replace
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import AGE, BARE, FRACTION, PERCENT, Figure
from chat.answers.lexicon import word_list
from chat.answers.passages import Statement
from chat.answers.reading import read

_LOSS: Final = re.compile(
    r"\b(?:loss(?:es)?|lost|lose[sd]?|deficit|decreas\w+|declin\w+|fell|fall(?:s|en)?|drop\w*|"
    r"negative|shortfall|down|"
    r"reduc\w+|shr[aiu]nk\w*|outflow\w*|used)\b",
    re.IGNORECASE,
)
_CHANGED_TO: Final = re.compile(
    r"\b(?:improv|ris|ros|rais|fell|fall|increas|decreas|declin|drop|grew|grow|climb|reduc|went|"
    r"lower|widen|narrow)\w*\s+(?:\w+\s+){0,2}to\s+\W*\Z",
    re.IGNORECASE,
)
_NAMED_ONCE: Final = frozenset({PERCENT, "year", "month", "week", "day"})
_PREPOSITION: Final = re.compile(r"\b(?:by|of|to|at|from|than)\s+\Z")
_LEAST_MONEY: Final = 100
_WORD: Final = re.compile(r"\s*([A-Za-z]+)")
_MONEY_VERBS: Final = frozenset(
    word_list("""grows grew becomes became costs earns earned loses lost doubles doubled invested
borrowed saved paid left remains yields returns""")
)
_CURRENCY_SIGN: Final = re.compile(r"[$\u20ac\u00a3\u00a5]|\b(?:euros?|pounds?|yen|EUR|GBP|CHF)\b")
_COMPARABLE: Final = {
    AGE: (AGE, BARE),
    BARE: (BARE, AGE),
    FRACTION: (FRACTION, PERCENT),
    PERCENT: (PERCENT, FRACTION),
}


def comparable(one: Figure, other: Figure) -> bool:
    """Whether two figures are of one kind."""
    return other.unit in _COMPARABLE.get(one.unit, (one.unit,))


def matches(figure: Figure, claim: Claim, statement: Statement) -> bool:
    """Whether a figure of a claim agrees with one of a statement."""
    return any(agree(figure, claim, statement, one) for one in statement.reading.figures)


def agree(  # noqa: PLR0911
    figure: Figure, claim: Claim, statement: Statement, source: Figure
) -> bool:
    """Whether two figures agree; a loss may be a negative number or a word."""
    if source.end_of == "from" and _CHANGED_TO.search(claim.reading.text[: figure.start]):
        return False  # "From 12.2 % to 14.2 %" does not prove "improved to 12.2 %".
    if figure.agrees_with(source):
        return True
    if _is_unnamed_money(figure, source, statement):
        return replace(figure, unit=BARE).agrees_with(source)
    if _is_unnamed_unit(figure, source, statement):
        return replace(figure, unit=BARE).agrees_with(source)
    if figure.date or source.date or (figure.value < 0) == (source.value < 0):
        return False
    positive_text = claim.text if figure.value >= 0 else statement.reading.text
    if not _LOSS.search(positive_text):
        return False
    return replace(figure, value=-figure.value).agrees_with(source)


def _is_unnamed_money(figure: Figure, source: Figure, statement: Statement) -> bool:
    """Whether a source omits the currency: "costs of 6,000" are $6,000 in an American guide.

    Guides omit only dollars, and only if the passage names no currency at all.
    """
    if figure.unit != "USD" or source.unit != BARE or abs(source.value) < _LEAST_MONEY:
        return False
    text = statement.reading.text
    behind = read(text[source.end : source.end + 24])
    word = _WORD.match(text, source.end)
    counted = (
        behind.words[:1]
        and behind.words[0].start <= 1
        and not (word and word[1].lower() in _MONEY_VERBS)
    )
    return not counted and not _CURRENCY_SIGN.search(statement.passage.text)


def _is_unnamed_unit(figure: Figure, source: Figure, statement: Statement) -> bool:
    """Whether a source omits a repeated unit: "pays four per cent while prices rise by five"."""
    if figure.unit not in _NAMED_ONCE or source.unit != BARE:
        return False
    before = statement.reading.text[: source.start]
    return _PREPOSITION.search(before) is not None and any(
        one.unit == figure.unit and one.start < source.start for one in statement.reading.figures
    )
