"""Two evaluations of the same questions, compared in pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

from evaluation.report import Report, shown


@dataclass(frozen=True)
class Flips:
    """The questions of a section that were right in one evaluation and wrong in the other."""

    section: str
    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    pairs: int

    @property
    def p_value(self) -> float:
        """The two-sided exact McNemar test: how likely are flips this one-sided by chance."""
        flips = len(self.fixed) + len(self.broken)
        fewer = min(len(self.fixed), len(self.broken))
        tail = sum(comb(flips, count) for count in range(fewer + 1))
        return min(1.0, float(2 * tail / 2**flips))


def flips(before: Report, after: Report) -> list[Flips]:
    """Return the flips of each section that both evaluations have."""
    earlier = {one.name: one.items for one in before.sections}
    found = []
    for section in after.sections:
        old = earlier.get(section.name, {})
        both = [name for name in section.items if name in old]
        if both:
            fixed = tuple(name for name in both if section.items[name] and not old[name])
            broken = tuple(name for name in both if old[name] and not section.items[name])
            found.append(Flips(section.name, fixed, broken, len(both)))
    return found


def lines(before: Report, after: Report, ref: str) -> Iterator[str]:
    """Yield the lines of a comparison: values that changed, and what flipped."""
    yield ""
    yield f"{f'compared with {ref}':<40}{'before':>10}{'after':>10}"
    earlier = {
        (one.name, name): value for one in before.sections for name, value in one.metrics.items()
    }
    for section in after.sections:
        for name, value in section.metrics.items():
            old = earlier.get((section.name, name))
            if old is not None and shown(old) != shown(value):
                yield f"  {f'{section.name} {name}':<38}{shown(old):>10}{shown(value):>10}"
    for one in flips(before, after):
        yield (
            f"  {one.section}: {len(one.fixed)} fixed and {len(one.broken)} broken of {one.pairs} "
            f"pairs (exact McNemar test, two-sided: p = {one.p_value:.3f})"
        )
        yield from (f"    fixed   {name}" for name in one.fixed)
        yield from (f"    broken  {name}" for name in one.broken)
