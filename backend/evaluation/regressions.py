"""Plants regressions and says which of them the evaluation does not see.

`./pants run backend/evaluation:regressions` applies each to a copy of the code and evaluates it.
Exit status: 0 if every one is caught, 1 if one survives, 2 if the unchanged code does not pass.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

from evaluation.checkout import BACKEND, EvaluationFailed, copied, evaluate_copy

_WORKERS: Final = 2


@dataclass(frozen=True)
class Regression:
    """A small change that makes answers worse: `old` becomes `new` in a file of the backend."""

    name: str
    kind: str
    file: str
    old: str
    new: str


class Outcome(NamedTuple):
    """Whether the gate failed because of a regression, and its reason."""

    caught: bool
    reason: str


REGRESSIONS: Final = (
    Regression(
        "$in means its opposite",
        "filter",
        "s3vector/columns.py",
        'return matching if condition.operator in {"$eq", "$in"} else ~matching',
        'return matching if condition.operator == "$eq" else ~matching',
    ),
    Regression(
        "$gte leaves out the bound itself",
        "filter",
        "s3vector/filters.py",
        '"$gte": lambda found, wanted: found >= wanted',
        '"$gte": lambda found, wanted: found > wanted',
    ),
    Regression(
        "conditions are joined by or",
        "filter",
        "s3vector/columns.py",
        'result = result & one if where.operator == "$and" else result | one',
        "result = result | one",
    ),
    Regression(
        "the farthest passages come first",
        "ranking",
        "s3vector/snapshot.py",
        "sorted((-score, *self._place(row), row)",
        "sorted((score, *self._place(row), row)",
    ),
    Regression(
        "a follow-up is searched alone",
        "ranking",
        "chat/follow_up.py",
        "if len(questions) == 1 or not (depends or _may_depend(last)):",
        "if True:",
    ),
    Regression(
        "a new topic is searched with the old one",
        "ranking",
        "chat/follow_up.py",
        "        and depends_on_earlier(questions[start])\n",
        "",
    ),
    Regression(
        "the relevance gate stops what is near",
        "ranking",
        "chat/relevance.py",
        'return "relevant" if closest >= threshold else "irrelevant"',
        'return "relevant" if closest <= threshold else "irrelevant"',
    ),
    Regression(
        "passages are a third as long",
        "splitter",
        "s3vector/passages.py",
        "MAX_CHARACTERS = 1200",
        "MAX_CHARACTERS = 400",
    ),
    Regression(
        "passages do not overlap",
        "splitter",
        "s3vector/passages.py",
        "OVERLAP_CHARACTERS = 150",
        "OVERLAP_CHARACTERS = 0",
    ),
    Regression(
        "text after a cut is lost",
        "splitter",
        "s3vector/passages.py",
        "start = _skip_space(text, next_start)",
        "start = _skip_space(text, next_start + 30)",
    ),
    Regression(
        "cells of a table run together",
        "parser",
        "runner/tables.py",
        "' | '.join(escaped)",
        "''.join(escaped)",
    ),
    Regression(
        "comments of a page are read as text",
        "parser",
        "runner/html.py",
        "elif type(node) in {NavigableString, CData, str}:",
        "elif isinstance(node, str):",
    ),
    Regression(
        "every second page is skipped",
        "parser",
        "runner/splitting.py",
        "following = (section + 1, 0) if section + 1 < len(document) else None",
        "following = (section + 2, 0) if section + 2 < len(document) else None",
    ),
    Regression(
        "the date of a document is not read",
        "parser",
        "chat/provenance.py",
        '    "as_of",\n',
        "",
    ),
    Regression(
        "a figure of another unit counts as proof",
        "number rules",
        "chat/answers/figures.py",
        "if one.unit == other.unit:",
        "if one.unit or other.unit:",
    ),
    Regression(
        "a wrong calculation counts as right",
        "number rules",
        "chat/answers/arithmetic.py",
        "    if value == shown:\n        return True",
        "    return True",
    ),
    Regression(
        "rounded figures are removed",
        "number rules",
        "chat/answers/figures.py",
        'return same or (bound == "about" and _rounded(theirs, mine) == value)',
        "return same",
    ),
    Regression(
        "titles are not escaped",
        "escaping",
        "chat/prompt.py",
        '{name}="{_attribute(value)}"',
        '{name}="{value}"',
    ),
    Regression(
        "the question is not escaped",
        "escaping",
        "chat/prompt.py",
        "    return escape(_printable(value))\n",
        "    return _printable(value)\n",
    ),
    Regression(
        "markers of a document read as citations",
        "escaping",
        "chat/prompt.py",
        '"[": "&#91;", "]": "&#93;", ',
        "",
    ),
    Regression(
        "the rules see capital letters",
        "boundary rule",
        "chat/boundary/rules.py",
        '_APOSTROPHES.sub("", text.lower())',
        '_APOSTROPHES.sub("", text)',
    ),
    Regression(
        "nothing cancels a rule",
        "boundary rule",
        "chat/boundary/rules.py",
        "        if self._unless is None:\n            return False\n",
        "        return False\n",
    ),
    Regression(
        "the words of a question weigh nothing",
        "boundary rule",
        "chat/boundary/rules.py",
        "category := self._wording.category(text)",
        "category := None",
    ),
    Regression(
        "distress is answered from documents",
        "boundary rule",
        "chat/answering.py",
        "        if verdict.reply is not None:\n",
        "        if verdict.reply is None and not question:\n",
    ),
    Regression(
        "earlier turns are never left out",
        "budget",
        "chat/history.py",
        "        if left < 0:\n            break\n",
        "",
    ),
    Regression(
        "only the first passages reach the model",
        "budget",
        "chat/prompt.py",
        "parts = [*map(passage_element, passages)]",
        "parts = [*map(passage_element, passages[:3])]",
    ),
    Regression(
        "the model is not told the date",
        "budget",
        "chat/prompt.py",
        "return _RULES.format(today=today.isoformat())",
        'return _RULES.format(today="unknown")',
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant the regressions and return the exit status."""
    parser = argparse.ArgumentParser(prog="regressions", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; by default all")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {one.name for one in REGRESSIONS}:
        parser.error(f"there is no regression named {', '.join(sorted(unknown))}")
    chosen = [one for one in REGRESSIONS if not options.names or one.name in options.names]
    try:
        with copied() as backend:
            unchanged = evaluate_copy(backend)["failures"]
    except EvaluationFailed as error:
        unchanged = [str(error)]
    if unchanged:
        print("The gate fails without a regression:", *unchanged, sep="\n  ")
        return 2
    survivors = 0
    with ThreadPoolExecutor(_WORKERS) as pool:
        for one, outcome in zip(chosen, pool.map(_outcome, chosen), strict=True):
            survivors += not outcome.caught
            print(f"{one.kind:<14}{one.name:<44}{outcome.reason}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} regressions are caught.")
    return 1 if survivors else 0


def _outcome(regression: Regression) -> Outcome:
    try:
        failures = failures_of(regression)
    except EvaluationFailed as error:
        # Any change that breaks the code is seen; that shows nothing about the evaluation.
        return Outcome(False, f"DOES NOT RUN: {str(error).splitlines()[-1]}")
    return Outcome(bool(failures), failures[0] if failures else "SURVIVED")


def failures_of(regression: Regression, options: Sequence[str] = ()) -> list[str]:
    """Evaluate the code with a regression and return the bounds of the gate that it breaks.

    Raises:
        ValueError: The regression does not fit the code.
        EvaluationFailed: The changed code does not run.
    """
    with copied() as backend:
        path = backend / regression.file
        path.write_text(planted(regression, path.read_text("utf-8")), "utf-8")
        failures: list[str] = evaluate_copy(backend, options)["failures"]
        return failures


def planted(regression: Regression, text: str) -> str:
    """Return the text of a file with the regression in it.

    Raises:
        ValueError: The old text does not occur exactly once.
    """
    if text.count(regression.old) != 1:
        raise ValueError(
            f"{regression.name}: {regression.file} has {text.count(regression.old)} places for "
            "it instead of one; adjust the old text in regressions.py"
        )
    return text.replace(regression.old, regression.new)


def source(regression: Regression) -> str:
    """Return today's text of the file that a regression changes."""
    return (BACKEND / regression.file).read_text("utf-8")


if __name__ == "__main__":
    sys.exit(main())
