"""A release that needs an attestation is refused without a valid one for each of its files."""

import os
from pathlib import Path

import pytest

from deploy import attestation
from deploy.manifest import Manifest, sha256
from deploy.program import Refused
from deploy.tests.fakes import GH, write_packages

COMMIT = "0123456789" * 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release whose files are all attested, and a gh that checks its arguments."""
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(GH)
    program.chmod(0o755)
    folder = tmp_path / "dist"
    folder.mkdir()
    write_packages(folder)
    Manifest.create(folder, release="v1.2.3", commit=COMMIT).write(folder / "manifest.json")
    digests = [sha256(path) for path in folder.iterdir()]
    (folder / "attestation.json").write_text("\n".join(digests))
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/fin-advisor")
    monkeypatch.setenv("REQUIRE_ATTESTATION", "true")
    return folder


def verify(folder: Path) -> None:
    attestation.main(["--folder", str(folder)])


def test_every_file_and_the_manifest_are_verified(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(folder)
    printed = capsys.readouterr().out.splitlines()
    files = {path.name for path in folder.iterdir()} - {"attestation.json"}
    assert set(printed) == {f"{name} is attested" for name in files}


@pytest.mark.parametrize("name", ["manifest.json", "api.zip", "chat.cdx.json"])
def test_a_file_without_an_attestation_is_refused(folder: Path, name: str) -> None:
    bundle = folder / "attestation.json"
    bundle.write_text(bundle.read_text().replace(sha256(folder / name), ""))
    with pytest.raises(Refused, match=f"{name} is not attested: no matching attestation"):
        verify(folder)


@pytest.mark.parametrize(("release", "commit"), [("v1.2.4", COMMIT), ("v1.2.3", "0" * 40)])
def test_gh_is_asked_for_the_tag_and_the_commit_of_the_manifest(
    folder: Path, release: str, commit: str
) -> None:
    Manifest.create(folder, release=release, commit=commit).write(folder / "manifest.json")
    with pytest.raises(Refused, match=f"{release} --source-digest {commit}"):
        verify(folder)


def test_a_release_without_an_attestation_is_refused(folder: Path) -> None:
    (folder / "attestation.json").unlink()
    with pytest.raises(Refused, match="published without an attestation"):
        verify(folder)


@pytest.mark.parametrize("value", ["", "True", "no"])
def test_whether_one_is_required_has_to_be_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("REQUIRE_ATTESTATION", value)
    with pytest.raises(Refused, match="set REQUIRE_ATTESTATION to true or false"):
        verify(folder)


def test_nothing_is_asked_of_a_release_that_needs_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_ATTESTATION", "false")
    monkeypatch.setenv("PATH", "")
    verify(folder)


def test_a_machine_without_gh_is_told_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Refused, match="gh is not on PATH"):
        verify(folder)


def test_another_repository_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "")
    with pytest.raises(Refused, match="GITHUB_REPOSITORY is ''"):
        verify(folder)
