"""Measures the size of the services' and the peers' packages, zipped and unpacked."""

from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.figure import OURS, Candidate, Figure, Packing
from benchmarks.packages import Package
from benchmarks.series import Series

_MEGABYTE: Final = 1e6
# The limits do not apply to s3vector (numpy) and runner (a PDF reader).
_LIMITED: Final = ("api", "chat", "rotation")
_LARGEST_ZIP: Final = 12
_LARGEST_UNPACKED: Final = 40


def measure(packages: Mapping[Candidate, Package]) -> Iterator[Figure]:
    """Yield both sizes of the services' packages and of the peers'."""
    # The real services are measured instead of `ours`, a package made for the benchmarks.
    shown = {one: package for one, package in packages.items() if one.name != OURS}
    zipped = {one: package.zipped_bytes for one, package in shown.items()}
    unpacked = {one: package.unzipped_bytes for one, package in shown.items()}
    yield _figure("Size of the zip", zipped, _LARGEST_ZIP)
    yield _figure("Size unpacked", unpacked, _LARGEST_UNPACKED)


def _figure(title: str, sizes: Mapping[Candidate, int], limit: float) -> Figure:
    return Figure(
        title,
        "MB",
        {candidate: Series((size / _MEGABYTE,)) for candidate, size in sizes.items()},
        limits={Candidate(name, Packing.COMPILED): limit for name in _LIMITED},
    )
