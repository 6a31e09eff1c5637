"""The structure of this repository's own Python code."""

from pathlib import Path

import pytest

from boundaries.imports import Graph, cycles, describe, import_graph
from boundaries.layout import (
    LEVELLED,
    crowded,
    misplaced_tests,
    undescribed_packages,
    wrong_directions,
)

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return import_graph(REPOSITORY)


def test_every_source_root_was_read(graph: Graph) -> None:
    """Guards the other tests against a run without the sources."""
    for path in (
        "backend/local/up.py",
        "backend/shared/settings.py",
        "build-support/packer/pack_lambda.py",
        "build-support/boundaries/imports.py",
        "terraform/tests/harness.py",
    ):
        assert path in graph
    assert len(graph) > 250
    assert "backend/shared/settings.py" in graph["backend/api/settings.py"]


def test_no_modules_import_each_other(graph: Graph) -> None:
    found = [describe(cycle, graph) for cycle in cycles(graph)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", LEVELLED)
def test_subpackages_import_from_their_level_and_those_below(package: str, graph: Graph) -> None:
    problems = wrong_directions(REPOSITORY, package, graph)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("package", LEVELLED)
def test_a_package_has_few_modules_outside_its_subpackages(package: str) -> None:
    problems = crowded(REPOSITORY, package)
    assert not problems, "\n".join(problems)


def test_every_package_says_what_it_is_for() -> None:
    problems = undescribed_packages(REPOSITORY)
    assert not problems, "\n".join(problems)


def test_tests_are_in_the_package_that_they_test() -> None:
    problems = misplaced_tests(REPOSITORY)
    assert not problems, "\n".join(problems)
