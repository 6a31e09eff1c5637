"""Calculations that an answer shows, `a op b = c`, and whether the result is right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from chat.answers.figures import BARE, FRACTION, PERCENT, POINTS, Figure

_EQUALS: Final = re.compile(
    r"^[\s*_)]*(?P<sign>=|\u2248|\u2243|~=|equals|is equal to|comes to|makes|"
    r"gives)\s*(?P<loose>about|roughly|approximately|around|~)?[\s*_(]*$",
    re.IGNORECASE,
)
_OPERATOR: Final = re.compile(
    r"^[\s)(*_]*?(?P<op>\+|-|\u2212|\u2013|\*|x|\u00d7|\u00b7|/|\u00f7|plus|minus|times|"
    r"multiplied by|divided by|of)[\s(*_$]*$",
    re.IGNORECASE,
)
_NAMES: Final = {
    "plus": "+", "minus": "-", "\u2212": "-", "\u2013": "-", "times": "*", "x": "*",
    "\u00d7": "*", "\u00b7": "*",
    "multiplied by": "*", "of": "*", "divided by": "/", "\u00f7": "/",
}  # fmt: skip
_MAX_OPERANDS: Final = 6


@dataclass(frozen=True, slots=True)
class Calculation:
    """A calculation: the indices of its operands and its result among the figures of the text."""

    operands: tuple[int, ...]
    result: int
    is_right: bool


def calculations(text: str, figures: Sequence[Figure]) -> list[Calculation]:
    """Return the calculations that a text shows."""
    found: list[Calculation] = []
    for index in range(1, len(figures)):
        equals = _EQUALS.match(text[figures[index - 1].end : figures[index].start])
        if equals is None:
            continue
        first = index - 1
        operators: list[str] = []
        while first > 0 and len(operators) < _MAX_OPERANDS:
            between = _OPERATOR.match(text[figures[first - 1].end : figures[first].start])
            if between is None:
                break
            name = between["op"].lower()
            operators.insert(0, _NAMES.get(name, name))
            first -= 1
        if operators:
            operands = tuple(range(first, index))
            loose = equals["sign"] in {"\u2248", "\u2243", "~="} or bool(equals["loose"])
            right = _is_right(
                [figures[n] for n in operands], operators, figures[index], loose=loose
            )
            found.append(Calculation(operands, index, right))
    return found


def _is_right(
    operands: Sequence[Figure], operators: Sequence[str], result: Figure, *, loose: bool
) -> bool:
    if any(one.date or one.unit.startswith(("ratio", "ordinal")) for one in (*operands, result)):
        return False
    try:
        value, unit = _evaluate(operands, operators)
    except (ArithmeticError, InvalidOperation):
        return False
    if unit is None or result.unit not in unit:
        return False
    if result.unit == PERCENT and PERCENT not in {one.unit for one in operands}:
        value *= 100
    shown = result.value
    if value == shown:
        return True
    if not (loose or result.bound == "about"):
        return False
    rounded = (value / result.step).to_integral_value(rounding="ROUND_HALF_UP") * result.step
    return rounded == shown


def _evaluate(
    operands: Sequence[Figure], operators: Sequence[str]
) -> tuple[Decimal, set[str] | None]:
    """Return the value, and the units that the result may have; None if the units do not fit."""
    units = {one.unit for one in operands}
    sums = all(op in "+-" for op in operators)
    if sums:
        if len(units) != 1:
            return Decimal(0), None
        unit = units.pop()
        # The difference of two percentages is in percentage points.
        allowed = {POINTS} if unit == PERCENT and "-" in operators else {unit}
        total = operands[0].value
        for op, one in zip(operators, operands[1:], strict=True):
            total = total + one.value if op == "+" else total - one.value
        return total, allowed
    numbers = [_factor(one) for one in operands]
    terms = [numbers[0]]
    signs = [Decimal(1)]
    for op, number in zip(operators, numbers[1:], strict=True):
        if op == "*":
            terms[-1] *= number
        elif op == "/":
            terms[-1] /= number
        else:
            terms.append(number)
            signs.append(Decimal(1 if op == "+" else -1))
    value = sum((sign * term for sign, term in zip(signs, terms, strict=True)), Decimal(0))
    rest = units - {PERCENT, FRACTION, BARE, "year", "month", "week", "day", "times"}
    if len(rest) > 1:
        return value, None
    if "/" in operators and len([one for one in operands if one.unit in rest]) > 1:
        return value, {BARE, PERCENT, "times"}
    if rest:
        return value, rest
    return value, (units - {PERCENT, FRACTION}) or {BARE}


def _factor(figure: Figure) -> Decimal:
    return figure.value / 100 if figure.unit == PERCENT else figure.value
