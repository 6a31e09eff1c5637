"""Attacks on calculations and on counts of items."""

import random
from decimal import Decimal

from evaluation.completions import figures
from evaluation.completions.base import Base
from evaluation.completions.draft import Draft, cite, sentence
from evaluation.completions.figures import WORDS

_ADDITIVE = "+−"  # noqa: RUF001


def wrong_calculation(rng: random.Random, base: Base) -> Draft | None:
    """A calculation with a wrong result."""
    if not base.calculations:
        return None
    shown = rng.choice(base.calculations)
    result = figures.another_digit(rng, shown["result"])
    if result is None:
        return None
    text = shown["text"].replace(f"= {shown['result']}", f"= {result}")
    return Draft(sentence(text, tuple(shown["cites"])), wrong=((text, f"= {result}"),))


def unproven_operand(rng: random.Random, base: Base) -> Draft | None:
    """A right calculation whose first operand is in no passage."""
    if not base.calculations:
        return None
    shown = rng.choice(base.calculations)
    first, second = shown["operands"]
    operand = figures.another_digit(rng, first)
    operator = shown["text"].split(first, 1)[1].split()[0]
    if operand is None or operator not in _ADDITIVE:
        return None
    numbers = [Decimal("".join(c for c in x if c in "0123456789.")) for x in (operand, second)]
    value = numbers[0] + numbers[1] if operator == "+" else numbers[0] - numbers[1]
    if value <= 0:
        return None
    head = shown["text"].split(first, 1)[0]
    unit = shown["result"].lstrip("$€£0123456789.,")
    sign = shown["result"][0] if shown["result"][0] in "$€£" else ""
    text = f"{head}{operand} {operator} {second} = {sign}{value:,f}{unit}"
    return Draft(sentence(text, tuple(shown["cites"])), wrong=((text, operand),))


def wrong_count(rng: random.Random, base: Base) -> Draft | None:
    """A lead-in that counts more or fewer items than follow."""
    if not base.lists:
        return None
    shown = rng.choice(base.lists)
    right = len(shown["items"])
    count = rng.choice([n for n in range(2, 13) if n != right])
    lead = shown["lead"].format(count=rng.choice([str(count), WORDS[count]]))
    marks = rng.choice([["- "] * right, ["* "] * right, [f"{n + 1}. " for n in range(right)]])
    cites = tuple(shown["cites"])
    lines = [f"{m}{i} {cite(cites)}" for m, i in zip(marks, shown["items"], strict=True)]
    focus = lead.removesuffix(":")
    return Draft("\n".join([lead, *lines]), wrong=((focus, focus),), block=True)
