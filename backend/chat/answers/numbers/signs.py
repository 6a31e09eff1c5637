"""Whether a minus, a word or parentheses make a number negative."""

from chat.answers.numbers.currencies import SYMBOLS
from chat.answers.numbers.token_run import MINUS, TokenRun
from chat.answers.numerals import power_of


def sign(run: TokenRun, first: int, following: int) -> tuple[int, int]:  # noqa: PLR0911
    """Return the first token of the number and its sign, and 0 for a positive number.

    1 is a negative number, 2 a negative number whose closing parenthesis follows.
    """
    before = run.word(first - 1)
    if run.word(first) in SYMBOLS and run.word(first + 1) in MINUS:
        return first, 1
    if before in {"minus", "negative"}:
        return first - 1, 1
    if before == "\u2212" and not _joins(run, first - 1) and not _is_operator(run, first):
        return first - 1, 1
    if before in MINUS and run.adjacent(first) and not run.adjacent(first - 1):
        previous = run.word(first - 2)
        if not (previous and (previous[-1].isdigit() or previous == "%")):
            return first - 1, 1
    inner_open = run.word(first) in SYMBOLS and run.word(first + 1) == "("
    if inner_open:
        return first, 2 if run.word(following) == ")" else 1
    if before == "(" and not _is_call(run, first - 1):
        last = run.word(following - 1)
        if last == "%" and run.word(following - 2) == ")":
            return first - 1, 1
        if run.word(following) == ")":
            bare = first + 1 == following and run.tokens[first].text[0].isdigit()
            scaled = power_of(run.word(following + 1)) is not None
            if run.in_table or bare or scaled:
                return first - 1, 2
    return first, 0


def _is_operator(run: TokenRun, first: int) -> bool:
    """Whether the minus before a figure subtracts it: "5 % \u2212 3 %"."""
    previous = run.word(first - 2)
    return (
        not run.adjacent(first) and bool(previous) and (previous[-1].isalnum() or previous in "%)")
    )


def _is_call(run: TokenRun, index: int) -> bool:
    """Whether an opening parenthesis touches a word, as in 401(k)."""
    return run.adjacent(index) and run.word(index - 1)[:1].isalnum()


def _joins(run: TokenRun, index: int) -> bool:
    """Whether a minus touches the digits before it, as in 3-5."""
    return run.adjacent(index) and run.word(index - 1)[-1:].isdigit()
