"""docs/requirements-closed.md names tests and resources that exist."""

import re
from collections.abc import Iterator

import pytest

from local.terraform.layer_copy import REPOSITORY
from tests.tables import TOPICS, read

PAGE = (REPOSITORY / "docs" / "requirements-closed.md").read_text()
NO_TEST = "no test: "


def _rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of each row below a heading, up to the next one."""
    section = PAGE.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def _headings() -> list[str]:
    return re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


def _addresses() -> set[str]:
    """Return the addresses of all planned resources, without instances."""
    return {
        name.partition("[")[0]
        for layer in ("bootstrap", "terraform")
        for topic in TOPICS
        for name in read(topic, layer)
    }


def _tests() -> set[str]:
    """Return the names of Terraform's tests and of the runs of its suites."""
    names = set()
    for path in (REPOSITORY / "terraform" / "tests").glob("test_*.py"):
        names.update(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
    for layer in ("bootstrap", "terraform"):
        for path in (REPOSITORY / layer).rglob("*.tftest.hcl"):
            names.update(re.findall(r'^run "(\w+)"', path.read_text(), re.MULTILINE))
    return names


TESTED = [
    heading for heading in _headings() if not heading.startswith(("Departures", "Where each"))
]
TEST_CELLS = [row[-1] for heading in TESTED for row in list(_rows(heading))[1:]]
INDEX = list(_rows("Where each name is now"))[1:]


def test_the_page_has_every_table() -> None:
    assert len(TESTED) >= 4
    assert TEST_CELLS
    assert INDEX


@pytest.mark.parametrize("cell", sorted(set(TEST_CELLS)))
def test_the_last_column_names_tests_that_exist(cell: str) -> None:
    if cell.startswith(NO_TEST):
        return
    known = _tests() | _addresses()
    folder = REPOSITORY
    names = re.findall(r"`([^`]+)`", cell)
    assert names
    for name in names:
        if "/" in name:
            assert (REPOSITORY / name).exists(), name
            folder = (REPOSITORY / name).parent
        elif name.endswith(".py"):  # beside the file before it
            assert (folder / name).exists(), name
        else:
            assert name in known, name


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row[0])
def test_the_index_names_files_and_resources_that_exist(row: list[str]) -> None:
    _, here, files = row
    paths = [REPOSITORY / name for name in re.findall(r"`([^`]+)`", files)]
    assert paths
    assert all(path.exists() for path in paths)
    text = "".join(path.read_text() for path in paths if path.is_file())
    for name in re.findall(r"`((?:module\.\w+\.)?aws_\w+\.\w+)`", here):
        assert name in _addresses(), name
    for name in re.findall(r"`local\.(\w+)`", here):
        assert re.search(rf"^  {name} += ", text, re.MULTILINE), name


def test_the_index_covers_each_address_of_the_requirements_in_the_departures() -> None:
    """What the departures call by requirements.md's name can be looked up in the index."""
    old = re.findall(
        r"`(?:data )?\"?(aws_\w+\.\w+)", "\n".join(map(str, _rows("Departures, and why")))
    )
    assert {name for name in old if name not in _addresses()} <= {
        name for row in INDEX for name in re.findall(r"`([\w.]+)`", row[0])
    }
