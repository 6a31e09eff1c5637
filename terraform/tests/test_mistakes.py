"""Each mistake that `mutants` makes can be made in today's files, and is taken back."""

import re
from pathlib import Path

import pytest

from local.terraform.layer_copy import REPOSITORY
from tests.mistakes import Mistake, MistakeError, read

MISTAKES = read()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_can_be_made_in_its_file(mistake: Mistake) -> None:
    text = (REPOSITORY / mistake.file).read_text()
    assert mistake.made_in(text) != text


def test_each_mistake_has_its_own_name() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60


def test_the_page_has_a_check_for_each_of_its_mistakes() -> None:
    page = (REPOSITORY / "docs" / "mutants.md").read_text()
    rows = re.findall(r"^\| (.+) \| `(.+)` \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) >= 60
    assert {name for name, _, _ in rows} <= {mistake.name for mistake in MISTAKES}
    assert not [name for name, _, by in rows if not by.startswith("`")]


def test_a_mistake_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "main.tf"
    file.write_text("memory = 512\n")
    mistake = Mistake(name="small", file="terraform/main.tf", old="512", new="256")
    with mistake.made(tmp_path):
        assert file.read_text() == "memory = 256\n"
    assert file.read_text() == "memory = 512\n"


@pytest.mark.parametrize(("text", "count"), [("", 0), ("512 512", 2)])
def test_a_mistake_that_cannot_be_made_says_why(text: str, count: int) -> None:
    mistake = Mistake(name="small", file="terraform/main.tf", old="512", new="256")
    with pytest.raises(
        MistakeError, match=rf"small: terraform/main.tf has its old text {count} ti"
    ):
        mistake.made_in(text)
