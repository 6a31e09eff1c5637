"""Units of time, ages, and what an amount is per: a month, a person, a security."""

from typing import Final

from chat.answers.figures import AGE, BARE, BUSINESS_DAY
from chat.answers.lexicon import word_list
from chat.answers.numbers.token_run import TokenRun
from chat.answers.words import stem

TIMES: Final = {
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
LOOSE_WORDS: Final = frozenset(
    word_list(
        """additional full whole more consecutive further extra calendar fiscal short long entire"""
    )
)
# Working days are another unit than calendar days: five of them are a week.
WORKING: Final = frozenset(word_list("business working trading banking"))


def age(run: TokenRun, index: int, following: int, unit: str) -> tuple[str, int]:
    """Return the unit, AGE for "age 45" and "45 years old", and the index after it."""
    before = [run.word(index - offset) for offset in range(1, 4)]
    after = [run.word(following + offset) for offset in range(3)]
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


def rate(run: TokenRun, index: int, unit: str) -> tuple[str, int]:
    """Return what an amount is per, "year" in "300 a year", and the index after it."""
    if unit in TIMES.values() or unit in {AGE, BUSINESS_DAY}:
        return "", index
    word, after = run.word(index), run.word(index + 1)
    if word in {"a", "an", "per", "each", "every", "/"} and after in _RATES:
        return _RATES[after], index + 2
    if word in {"annually", "yearly", "monthly", "weekly", "daily", "quarterly"}:
        return _RATES[word], index + 1
    start = index + 1 if word == "for" else index
    if run.word(start) in {"per", "each", "every"}:
        return stem(run.word(start + 1)), index  # "25 euros for each security"
    return "", index
