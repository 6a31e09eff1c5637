"""THIRD_PARTY.md lists the packages that are in the functions' zips and in the runner's image."""

from pathlib import Path

import pytest

from licences.document import listed
from licences.packages import packages
from licences.third_party import shipped

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_lists_what_is_shipped_and_nothing_else() -> None:
    """After a change: ./pants package :: and ./pants run build-support/licences:third_party."""
    archives = shipped(Path())  # Pants puts them into the folder that it runs tests in.
    if not archives:
        pytest.skip("the packages are built by Pants: ./pants test build-support/licences::")
    found = {(package.name, package.version) for package in packages(archives).values()}
    assert listed((ROOT / "THIRD_PARTY.md").read_text()) == found
