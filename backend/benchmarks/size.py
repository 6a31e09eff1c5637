"""Sizes of the packages, zipped and unzipped."""

from collections.abc import Iterator, Mapping

from benchmarks.packages import Package
from benchmarks.series import Comparison, Series

_MEGABYTE = 1e6


def measure(packages: Mapping[str, Package]) -> Iterator[Comparison]:
    """Yield both sizes of our packages beside their peers'."""
    for ours, limit_zipped, limit_unzipped in (("api", 12, 40), ("chat", 12, 40)):
        names = [ours, f"{ours}-stock", "powertools", "plain"]
        yield Comparison(
            f"Size of {ours}.zip",
            "MB",
            ours,
            {name: Series((packages[name].zipped_bytes / _MEGABYTE,)) for name in names},
            limit=limit_zipped,
        )
        yield Comparison(
            f"Size of {ours}.zip unpacked",
            "MB",
            ours,
            {name: Series((packages[name].unzipped_bytes / _MEGABYTE,)) for name in names},
            limit=limit_unzipped,
        )
