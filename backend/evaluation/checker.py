"""Measures the check of chat's answers with sets of completions (texts of a language model).

The honest set contains true sentences: those that the check removes are its false alarms. The
adversarial set contains false claims: those that reach the caller are its misses. Two smaller sets
have both, over other documents. `./pants run backend/evaluation:checker` prints all figures and
lists every case, except those of the held-out set, which is for measuring only.
"""

from collections import Counter
from dataclasses import dataclass

from evaluation.checks import CASES, attacked, checked, count_units
from evaluation.recordings import labelled_recordings


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of the check on one of the sets.

    Attributes:
        total: The number of true units (sentences, list items, table rows) in the honest set, or
            of cases in the adversarial set.
        wrong: The true units that were removed, or the cases in which something false reached the
            caller. Each is a pair: the kind of text or of attack, and the text.
    """

    total: int
    wrong: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        kinds = ", ".join(
            f"{kind} {count}" for kind, count in Counter(k for k, _ in self.wrong).most_common()
        )
        share = len(self.wrong) / self.total
        return f"{len(self.wrong)} of {self.total} ({share:.1%})" + (f": {kinds}" if kinds else "")


def honest() -> Measurement:
    """Count the true units of honest completions that the checker removes."""
    return removed_of("honest")


def removed_of(name: str) -> Measurement:
    """Count the true units of a set that the checker removes."""
    results = [checked(one) for one in labelled_recordings(name)]
    return Measurement(
        sum(count_units(one.recording, "true") for one in results),
        tuple((one.recording.form, text) for one in results for text in one.removed),
    )


def passed_of(name: str, kind: str) -> Measurement:
    """Count the false units of a set that pass.

    Args:
        name: The set.
        kind: "figure" for a false figure, period or label of one; "statement" for false words.
    """
    total = 0
    passed: list[tuple[str, str]] = []
    for one in map(checked, labelled_recordings(name)):
        for unit in one.recording.units:
            if unit.label == "false" and unit.note == kind:
                total += 1
                passed += [(kind, unit.text)] if unit.text in one.passed else []
    return Measurement(total, tuple(passed))


def adversarial(count: int = CASES) -> Measurement:
    """Count the attacked completions of which a false claim or citation reaches the caller."""
    reached = [(case.attack, "; ".join(found)) for case, found in attacked(count) if found]
    return Measurement(count, tuple(reached))


if __name__ == "__main__":
    for title, measurement, is_listed in (
        ("True units removed", honest(), True),
        ("Cases in which something false passed", adversarial(), True),
        *(
            (f"{name}: {title}", measurement, name == "development")
            for name in ("development", "held_out")
            for title, measurement in (
                ("true units removed", removed_of(name)),
                ("false figures passed", passed_of(name, "figure")),
                ("false statements passed", passed_of(name, "statement")),
            )
        ),
    ):
        print(f"{title}: {measurement}")
        if is_listed:
            for kind, text in measurement.wrong:
                print(f"  {kind}: {text}")
