"""Prints how well the boundary's rules find what a question asks for.

`./pants run backend/evaluation/boundary:measure` measures the built-in policy on both sets of
questions. Append `-- POLICY_FILE QUESTIONS_FILE` for a policy and a set of your own.

The questions in `development.jsonl` were used while the rules were written. The ones in
`held_out.jsonl` were written by someone who had not seen the rules, and measured often while the
rules changed. The ones in `blind.jsonl` were written the same way, and measured once, at the end.
At the end it lists the policy's help lines, which a person has to check.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final, get_args

from chat.boundary.policy import Policy, built_in_policy, load_policy
from chat.boundary.rules import Rules
from shared.answers import BoundaryCategory

SETS: Final = ("development", "held_out", "blind")
# Whoever reads the misses of the other sets begins to write rules for them.
SHOWN: Final = ("development",)
CATEGORIES: Final[Sequence[BoundaryCategory]] = get_args(BoundaryCategory)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and the category that a person gave it."""

    question: str
    category: BoundaryCategory


@dataclass(frozen=True, slots=True)
class Measurement:
    """The categories that the rules gave to the questions of a set.

    Attributes:
        judged: How many questions there are of each label and category found.
        wrong: The questions that were judged differently from their label, with what was found.
    """

    judged: Counter[tuple[BoundaryCategory, BoundaryCategory]]
    # Not in the representation: a failing test must not show questions that were held out.
    wrong: tuple[tuple[Labelled, BoundaryCategory], ...] = field(repr=False)

    @property
    def total(self) -> int:
        """The number of questions."""
        return self.judged.total()

    def precision(self, category: BoundaryCategory) -> float:
        """Return the share of the questions found in a category that belong there."""
        found = sum(count for (_, one), count in self.judged.items() if one == category)
        return self.judged[category, category] / found if found else 1.0

    def recall(self, category: BoundaryCategory) -> float:
        """Return the share of a category's questions that are found."""
        there = sum(count for (one, _), count in self.judged.items() if one == category)
        return self.judged[category, category] / there if there else 1.0

    def __str__(self) -> str:
        lines = [f"{'':<16}{'questions':>9}{'precision':>11}{'recall':>8}"]
        for category in CATEGORIES:
            there = sum(count for (one, _), count in self.judged.items() if one == category)
            lines.append(
                f"{category:<16}{there:>9}{self.precision(category):>11.3f}"
                f"{self.recall(category):>8.3f}"
            )
        return "\n".join(lines)


def labelled(text: str) -> list[Labelled]:
    """Return the questions of a file with one JSON object a line."""
    rows = map(json.loads, text.splitlines())
    return [Labelled(row["question"], row["category"]) for row in rows]


def questions(name: str) -> list[Labelled]:
    """Return a set that comes with this package."""
    data = resources.files("evaluation.boundary").joinpath(f"{name}.jsonl")
    return labelled(data.read_text("utf-8"))


def measure(policy: Policy, asked: Sequence[Labelled]) -> Measurement:
    """Judge each question by the policy's rules."""
    rules = Rules(policy)
    found = [(one, rules.judge(one.question).category) for one in asked]
    return Measurement(
        Counter((one.category, category) for one, category in found),
        tuple((one, category) for one, category in found if category != one.category),
    )


def help_lines_to_check(policy: Policy) -> Iterator[str]:
    """Yield each help line of a policy with its source, for a person who checks them."""
    yield "Before you go live, call each number and open each source; no program has checked them:"
    for country, categories in policy.help.items():
        for category, lines in categories.items():
            yield from (f"  {country} {category}: {one.text} <{one.source}>" for one in lines)


def main(arguments: Sequence[str]) -> None:
    """Print a table for each set, what is misjudged in the development set, and the help lines."""
    parser = argparse.ArgumentParser(prog="measure", description=__doc__)
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="a policy, and questions to measure it"
    )
    files: list[Path] = parser.parse_args(arguments).files
    if len(files) not in {0, 2}:
        parser.error("give a policy file and a questions file, or neither")
    if files:
        policy = load_policy(files[0])
        sets = {files[1].name: labelled(files[1].read_text("utf-8"))}
    else:
        policy = built_in_policy()
        sets = {name: questions(name) for name in SETS}
    for name, asked in sets.items():
        measured = measure(policy, asked)
        print(f"{name}, policy {policy.version}\n{measured}")
        if files or name in SHOWN:
            for one, category in measured.wrong:
                print(f"  {one.category}, found {category}: {one.question}")
        print()
    print(*help_lines_to_check(policy), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
