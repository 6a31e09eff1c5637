"""A service is added completely or not at all, and removed without a trace."""

import subprocess
from pathlib import Path

import pytest

from scaffold import new_service, places, remove_service
from scaffold.changes import Refused
from scaffold.tests.tree import copied, texts
from services.declared import SERVICES, read

EXISTING = {places.DECLARATION, places.MODULES, places.PACKAGES}
PARTS = (*EXISTING, "backend/chat", "terraform/environments", "terraform/lambda-chat.tf")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files that name services, and one service, in a repository of git."""
    root = copied(tmp_path / "repository", *PARTS)
    _git(root, "init", "--quiet")
    _commit(root)
    return root


def _git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True)  # noqa: S607


def _commit(root: Path) -> None:
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", "a")


def test_a_new_service_changes_three_existing_files(root: Path) -> None:
    before = texts(root)
    new_service.main(["newcomer", "--calls", "s3vector,chat"], root)
    after = texts(root)
    assert {path for path in before if after[path] != before[path]} == EXISTING
    new = after.keys() - before.keys()
    assert {path for path in new if not path.startswith("backend/newcomer/")} == {
        "terraform/lambda-newcomer.tf",
        "terraform/tests/tables/service-newcomer.json",
    }
    declared = read(root / places.DECLARATION)
    assert list(declared) == [*SERVICES, "newcomer"]
    assert declared["newcomer"].calls == {"s3vector": [], "chat": []}


def test_it_says_what_to_do_next(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_service.main(["newcomer"], root)
    printed = capsys.readouterr().out
    for text in ("./pants test backend/newcomer::", "new_endpoint -- newcomer", "apply bootstrap/"):
        assert text in printed


def test_no_place_of_a_template_is_left_open(root: Path) -> None:
    new_service.main(["newcomer", "--calls", "chat"], root)
    assert not [path for path, text in texts(root).items() if b"{{" in text.replace(b"}}{", b"")
                and path.startswith("backend/newcomer")]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Newcomer"], "is no name of a service"),
        (["new-comer"], "is no name of a service"),
        (["b" * 17], "is no name of a service"),
        (["chat"], "there is a service chat already"),
        (["class"], "Python has a module or a word class already"),
        (["json"], "Python has a module or a word json already"),
        (["fastapi"], "Python has a module or a word fastapi already"),
        (["shared"], "Python has a module or a word shared already"),
        (["ingest"], "has an API key ingest"),
        (["newcomer", "--calls", "nobody"], "there is no service nobody"),
        (["newcomer", "--calls", "rotation"], "there is no service rotation"),
        (["newcomer", "--calls", "newcomer"], "there is no service newcomer"),
    ],
)
def test_a_bad_or_taken_name_is_refused_and_nothing_changes(
    root: Path, arguments: list[str], complaint: str
) -> None:
    before = texts(root)
    with pytest.raises(Refused, match=complaint):
        new_service.main(arguments, root)
    assert texts(root) == before


@pytest.mark.parametrize("path", sorted(EXISTING))
def test_a_place_that_is_not_as_it_was_written_is_named(root: Path, path: str) -> None:
    file = root / path
    file.write_text(file.read_text().replace("(\n", "( # changed\n").replace("\n  }\n}", "\n }}"))
    before = texts(root)
    with pytest.raises(Refused, match=path):
        new_service.main(["newcomer"], root)
    assert texts(root) == before


@pytest.mark.parametrize("calls", [[], ["--calls", "chat"]])
@pytest.mark.parametrize("committed", [True, False])
def test_remove_service_undoes_new_service(
    root: Path, calls: list[str], committed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = texts(root)
    new_service.main(["newcomer", *calls], root)
    if committed:
        _commit(root)
    remove_service.main(["newcomer"], root)
    assert texts(root) == before
    printed = capsys.readouterr().out
    assert "These stay in AWS" in printed
    assert "bootstrap/" in printed


def test_a_service_that_the_tables_have_is_removed(root: Path) -> None:
    new_service.main(["newcomer"], root)
    (root / "terraform/tests/tables/service-newcomer.json").unlink()  # as write_tables does
    _commit(root)
    remove_service.main(["newcomer"], root)
    assert not [path for path in texts(root) if "newcomer" in path]


def test_an_entry_amid_the_others_is_removed(root: Path) -> None:
    new_service.main(["newcomer"], root)
    new_service.main(["tax"], root)
    remove_service.main(["newcomer"], root)
    assert list(read(root / places.DECLARATION)) == [*SERVICES, "tax"]


def test_work_that_git_does_not_have_is_not_removed(root: Path) -> None:
    new_service.main(["newcomer"], root)
    (root / "backend/newcomer/invoices.py").write_text("# work\n")
    with pytest.raises(Refused, match=r"invoices\.py: commit it, or pass --discard"):
        remove_service.main(["newcomer"], root)
    assert (root / "backend/newcomer/invoices.py").exists()
    remove_service.main(["newcomer", "--discard"], root)
    assert not (root / "backend/newcomer").exists()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nobody", "there is no service nobody"),
        ("chat", "api.* calls chat: remove these calls first"),
        ("rotation", "rotation is a task: remove it by hand"),
    ],
)
def test_what_cannot_be_removed_is_refused(root: Path, name: str, complaint: str) -> None:
    before = texts(root)
    with pytest.raises(Refused, match=complaint):
        remove_service.main([name], root)
    assert texts(root) == before
