"""An attack on tables: two values change places."""

import random

from evaluation.completions.base import Base
from evaluation.completions.draft import Draft, cite


def swapped(rng: random.Random, base: Base) -> Draft | None:
    """A table of a passage, in which two values of a row or of a column have changed places."""
    tables = [(p["id"], rows) for p in base.passages if len(rows := _rows(p["text"])) > 2]
    if not tables:
        return None
    passage_id, rows = rng.choice(tables)
    header, *body = [list(row) for row in rows]
    first = (rng.randrange(len(body)), rng.randrange(1, len(header)))
    if rng.random() < 0.5:
        second = (rng.randrange(len(body)), first[1])
    else:
        second = (first[0], rng.randrange(1, len(header)))
    one, other = (body[row][column] for row, column in (first, second))
    if one == other:
        return None
    body[first[0]][first[1]], body[second[0]][second[1]] = other, one
    citation = cite((passage_id,))
    lead = rng.choice([f"The figures in a table {citation}:\n\n", ""])
    lines = [_line(header), _line(["---"] * len(header))]
    lines += [_line(row) + ("" if lead else f" {citation} |") for row in body]
    if not lead:
        lines[:2] = [lines[0] + " Source |", lines[1] + "---|"]
    wrong = [_line(body[row][: column + 1]).strip("| ") for row, column in {first, second}]
    return Draft(
        lead + "\n".join(lines), wrong=tuple((text, text) for text in sorted(wrong)), block=True
    )


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
