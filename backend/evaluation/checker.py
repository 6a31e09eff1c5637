"""Measures the check of chat's answers with two sets of completions (texts of a language model).

The honest set contains true sentences: those that the check removes are its false alarms. The
adversarial set contains false claims: those that reach the caller are its misses.
`./pants run backend/evaluation:checker` prints both figures and lists every case.
"""

from collections import Counter
from dataclasses import dataclass

from evaluation.checks import CASES, attacked, checked, count_units
from evaluation.recordings import honest_recordings


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
    results = [checked(one) for one in honest_recordings()]
    return Measurement(
        sum(count_units(one.recording, "true") for one in results),
        tuple((one.recording.form, text) for one in results for text in one.removed),
    )


def adversarial(count: int = CASES) -> Measurement:
    """Count the attacked completions of which a false claim or citation reaches the caller."""
    reached = [(case.attack, "; ".join(found)) for case, found in attacked(count) if found]
    return Measurement(count, tuple(reached))


if __name__ == "__main__":
    for title, measurement in (
        ("True units removed", honest()),
        ("Cases in which something false passed", adversarial()),
    ):
        print(f"{title}: {measurement}")
        for kind, text in measurement.wrong:
            print(f"  {kind}: {text}")
