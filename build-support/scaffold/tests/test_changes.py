"""Either all changes are made, or none."""

from pathlib import Path

import pytest

from scaffold.changes import Changes, Refused
from scaffold.tests.tree import texts


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_text("old")
    (tmp_path / "list").write_text("a")
    return tmp_path


def _changes(root: Path) -> Changes:
    changes = Changes(root)
    changes.edit("list", lambda text: text + "b")
    changes.create("new/deep/file", "new")
    changes.remove("old")
    return changes


def test_nothing_is_written_before_the_changes_are_made(root: Path) -> None:
    before = texts(root)
    changes = _changes(root)
    assert texts(root) == before
    assert changes.summary().split() == [
        "new", "new/deep/file", "changed", "list", "removed", "old",
    ]  # fmt: skip


def test_all_of_them_are_made(root: Path) -> None:
    _changes(root).make()
    assert texts(root) == {"list": b"ab", "new/deep/file": b"new"}
    assert not (root / "old").exists()


@pytest.mark.parametrize("hindrance", ["zzz/file", "removed"])
def test_a_failure_amid_them_undoes_the_others(root: Path, hindrance: str) -> None:
    changes = _changes(root)
    if hindrance == "removed":
        changes.remove("missing")
    else:
        (root / "zzz").write_text("a file where a folder has to be")
        changes.create("zzz/file", "x")
    before, folders = texts(root), sorted(root.rglob("*"))
    with pytest.raises(OSError, match=r"missing|zzz"):
        changes.make()
    assert texts(root) == before
    assert sorted(root.rglob("*")) == folders


def test_an_existing_file_is_not_created_again(root: Path) -> None:
    with pytest.raises(Refused, match="list exists already"):
        Changes(root).create("list", "")


def test_a_missing_file_is_not_edited(root: Path) -> None:
    with pytest.raises(Refused, match="nothing does not exist"):
        Changes(root).edit("nothing", str)
