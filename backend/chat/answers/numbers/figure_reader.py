"""Reads the figure that begins at a token."""

from decimal import Decimal

from chat.answers.dates import Date, is_year
from chat.answers.figures import BARE, DATE, Figure
from chat.answers.numbers.bounds import bound_after, bound_before
from chat.answers.numbers.currencies import CODES, CURRENCY_WORDS, currency_before
from chat.answers.numbers.measures import unit_after
from chat.answers.numbers.multiples import BEGINNINGS, multiple_at
from chat.answers.numbers.periods import TIMES, age, rate
from chat.answers.numbers.ranges import join_ranges, share_earlier_units
from chat.answers.numbers.signs import sign
from chat.answers.numbers.token_run import TokenRun
from chat.answers.numerals import Numeral, Token, numeral_at, power_of


def read_figures(run: TokenRun) -> list[Figure]:
    """Return the figures of a run of tokens in their order."""
    figures: list[Figure] = []
    places: list[tuple[int, int]] = []
    index = 0
    while index < len(run.tokens):
        token = run.tokens[index]
        may_begin = token.text[0].isdigit() or token.text[0] == "." or token.lowered in BEGINNINGS
        read = figure_at(run, index) if may_begin else None
        if read is None:
            index += 1
            continue
        figure, first, index = read
        figures.append(figure)
        places.append((first, index))
    return join_ranges(run, share_earlier_units(run, figures, places), places)


def figure_at(run: TokenRun, index: int) -> tuple[Figure, int, int] | None:  # noqa: PLR0911
    """Return the figure that begins at a token, its first token, and the token after it."""
    token = run.tokens[index]
    if multiple := multiple_at(run, index):
        return multiple
    numeral = numeral_at(run.tokens, index)
    if numeral is None:
        return None
    pointed_at = run.word(index - 1) in {"the", "these", "those"}
    if (
        pointed_at
        and numeral.in_words
        and (run.word(numeral.next) or ".") in {".", ",", ":", ";", "?"}
    ):
        return None  # "Two" is a pronoun in "compare the two:".
    if not numeral.in_words and _is_part_of_word(run, index, numeral):
        return None
    first, currency = currency_before(run, index)
    following, unit = unit_after(run, numeral.next)
    is_one = numeral.in_words and numeral.value == 1 and numeral.next == index + 1
    counted = _is_counted_one(run, numeral.next) or run.word(index - 1) == "between"
    if unit == BARE and is_one and not counted:
        return None
    if currency and unit in CURRENCY_WORDS.values():
        unit = currency
    elif currency and unit == BARE:
        unit, following = currency, numeral.next
    first, negative = sign(run, first, following)
    scale = Decimal(1)
    if negative == 2:
        following += 1
        if power := power_of(run.word(following)):
            scale, following = Decimal(10) ** power, following + 1
    if unit == BARE and not numeral.in_words and _is_year(token, numeral):
        date = Date(int(token.text))
        return Figure(token.start, token.end, Decimal(0), DATE, date=date), index, index + 1
    if unit == BARE and run.word(index - 1) == "or" and run.word(index - 3) in {"a", "an"}:
        unit = TIMES.get(run.word(index - 2), unit)  # "A day or two".
    unit, following = age(run, index, following, unit)
    bound = bound_before(run, first)
    if bound == "over" and unit in TIMES.values() and run.word(first - 1) == "over":
        bound = "during"  # "Over thirty years" often means "during".
    following, after = bound_after(run, following)
    per, following = rate(run, following, unit)
    value = (-numeral.value if negative else numeral.value) * scale
    start = run.tokens[first].start
    end = run.tokens[following - 1].end
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


def _is_part_of_word(run: TokenRun, index: int, numeral: Numeral) -> bool:
    """Whether the digits belong to a name: CO2, v1.2, A4, 3M."""
    if run.adjacent(index):
        before = run.word(index - 1)
        if before == "_" or (
            before[0].isalpha()
            and before.upper() not in CODES
            and before not in {"q", "fy", "us", "x"}
        ):
            return True
        if before in {"-", "/"} and run.adjacent(index - 1) and run.word(index - 2)[:1].isalpha():
            return run.word(index - 2) not in CURRENCY_WORDS and before == "-"
    if run.adjacent(numeral.next) and run.word(numeral.next)[:1].isalpha():
        low = run.word(numeral.next)
        return (
            low not in TIMES
            and low not in {"x", "bp", "bps", "pp", "ppt", "pct", "st", "nd", "rd", "th"}
            and low.upper() not in CODES
        )
    return False


def _is_counted_one(run: TokenRun, following: int) -> bool:
    """Whether "one" without a unit is a count: "one to two", not "one of" or "one who"."""
    joint, after = run.word(following), run.word(following + 1)
    return joint in {"to", "-"} and (
        after[:1].isdigit() or (bool(after) and numeral_at(run.tokens, following + 1) is not None)
    )


def _is_year(token: Token, numeral: Numeral) -> bool:
    return is_year(token.text) and numeral.value == int(token.text)
