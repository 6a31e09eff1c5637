"""Sizes of the functions' packages and of the peers', zipped and unpacked."""

from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.figure import Candidate, Figure, Packing
from benchmarks.packages import SERVICES, Package
from benchmarks.series import Series

_MEGABYTE: Final = 1e6
_LIMIT_ZIPPED: Final = 12
_LIMIT_UNPACKED: Final = 40


def measure(packages: Mapping[Candidate, Package]) -> Iterator[Figure]:
    """Yield both sizes of every package."""
    for title, size, limit in (
        ("Size of the zip", lambda package: package.zipped_bytes, _LIMIT_ZIPPED),
        ("Size unpacked", lambda package: package.unzipped_bytes, _LIMIT_UNPACKED),
    ):
        yield Figure(
            title,
            "MB",
            {
                candidate: Series((size(package) / _MEGABYTE,))
                for candidate, package in packages.items()
            },
            limits={Candidate(name, Packing.COMPILED): limit for name in SERVICES},
        )
