"""The checks of answers, on recordings with frozen passages and on attacked completions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from chat.answers.check import check
from evaluation.advice_boundary import policy_rules
from evaluation.completions.adversarial import ATTACKS as ATTACKS_BY_NAME
from evaluation.completions.adversarial import generate
from evaluation.completions.case import Case
from evaluation.recordings import RecordedPassage, Recording, honest_recordings, read_recordings
from evaluation.section import Section

CASES: Final = 1000

_FIGURES: Final = ("figure_attacks", "arithmetic_attacks")
_CITATION: Final = re.compile(r"\[[^\]]*\]")
_NOT_COMPARED: Final = re.compile(r"[^0-9a-z%$.]+")


@dataclass(frozen=True)
class Checked:
    """The result of the checks on a recording.

    Attributes:
        removed: True units that did not reach the caller.
        passed: False units that did.
        cited: The passages that the answer cites.
        supporting: The passages that the true units cite.
    """

    recording: Recording
    removed: tuple[str, ...]
    passed: tuple[str, ...]
    cited: frozenset[str]
    supporting: frozenset[str]


def measure() -> Section:
    """Return what the checks remove, what they let pass, and how well their answers cite."""
    recordings = [*honest_recordings(), *read_recordings()]
    stale = [one for one in recordings if one.is_stale]
    # What a model wrote for another prompt says nothing about this one.
    results = [checked(one) for one in recordings if not one.is_stale]
    cases = list(attacked(CASES))
    passed = [case for case, found in cases if found]
    true_units = sum(count_units(one.recording, "true") for one in results)
    removed = sum(len(one.removed) for one in results)
    right = sum(len(one.cited & one.supporting) for one in results)
    metrics = {
        "true_units_removed": removed / true_units,
        "false_units_passed": float(sum(len(one.passed) for one in results)),
        "attacks_passed": float(len(passed)),
        "wrong_figures_passed": float(sum(_is_about_figures(case) for case in passed)),
        "citation_precision": right / max(1, sum(len(one.cited) for one in results)),
        "citation_recall": right / max(1, sum(len(one.supporting) for one in results)),
        "recordings": float(len(results)),
        "stale_recordings": float(len(stale)),
        "unlabelled_units": float(sum(count_units(one.recording, "unlabelled") for one in results)),
    }
    items = {one.recording.id: not (one.removed or one.passed) for one in results}
    items |= {case.id: not found for case, found in cases}
    return Section("checks", metrics, items, list(_notes(results, stale, cases)))


def checked(recording: Recording) -> Checked:
    """Check a recording's completion against its passages."""
    result = check(
        recording.completion,
        [one.passage() for one in recording.passages],
        question=recording.question,
        stop_reason=recording.stop_reason,
        **_options(),
    )
    kept = _comparable(result.answer)
    true = [unit for unit in recording.units if unit.label == "true"]
    return Checked(
        recording,
        removed=tuple(unit.text for unit in true if _comparable(unit.text) not in kept),
        passed=tuple(
            unit.text
            for unit in recording.units
            if unit.label == "false" and _comparable(unit.text) in kept
        ),
        cited=frozenset(one.passage_id for one in result.citations),
        supporting=frozenset().union(*(unit.cited for unit in true)) if true else frozenset(),
    )


def attacked(count: int) -> Iterator[tuple[Case, list[str]]]:
    """Yield attacked completions, each with the false parts that reached the caller."""
    for case in generate(count):
        result = check(
            case.completion,
            [RecordedPassage.model_validate(one).passage() for one in case.passages],
            question=case.question,
            stop_reason=case.stop_reason,
            **_options(),
        )
        yield case, case.reached(result.answer, [one.passage_id for one in result.citations])


def _is_about_figures(case: Case) -> bool:
    return ATTACKS_BY_NAME[case.attack].__module__.endswith(_FIGURES)


@cache
def _options() -> Mapping[str, Any]:
    """The arguments of chat's check other than the completion and its passages."""
    rules = policy_rules()
    return {} if rules is None else {"recommends": rules.recommends}


def count_units(recording: Recording, label: str) -> int:
    """Return how many units of a recording have a label."""
    return sum(unit.label == label for unit in recording.units)


def _comparable(text: str) -> str:
    # Markers get new numbers and markup may move: compare words and figures only.
    return _NOT_COMPARED.sub("", _CITATION.sub("", text.lower()))


def _notes(
    results: Sequence[Checked],
    stale: Sequence[Recording],
    cases: Sequence[tuple[Case, list[str]]],
) -> Iterator[str]:
    if stale:
        names = ", ".join(one.id for one in stale)
        yield f"stale, because the prompt changed; record again with --record: {names}"
    for one in results:
        yield from (f"{one.recording.id}: false, and passed: {text}" for text in one.passed)
    for case, found in cases:
        if found:
            yield f"{case.id}: passed: {'; '.join(found)}"
