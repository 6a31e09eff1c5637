"""A release on GitHub is published and downloaded completely, with the changelog's notes."""

import json
from pathlib import Path

import pytest

from deploy import release
from deploy.changelog import FILE, Changelog
from deploy.github import Github
from deploy.manifest import PACKAGES, Manifest, bill_of
from deploy.program import Refused
from deploy.release import check_document, fetch, publish
from deploy.tests.fakes import FakeGithub, write_packages

COMMIT = "0" * 40

CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-01

### Added

- A thing.

## [1.1.0] - 2026-10-01

- Another.
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    folder.mkdir()
    write_packages(folder)
    Manifest.create(folder, release="v1.2.0", commit=COMMIT).write(folder / "manifest.json")
    return folder


@pytest.fixture(autouse=True)
def tagged(fake: FakeGithub) -> None:
    fake.tags["v1.2.0"] = ("commit", COMMIT)


def test_a_published_release_can_be_fetched(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    publish(github, built, "notes")
    [made] = fake.releases
    assert (made["tag_name"], made["body"], made["prerelease"]) == ("v1.2.0", "notes", True)
    fetched = fetch(github, "v1.2.0", tmp_path / "fetched")
    assert fetched == Manifest.read(built / "manifest.json")
    for name in PACKAGES:
        assert (tmp_path / "fetched" / name).read_bytes() == name.encode()


def test_the_attestation_is_published_with_the_release_and_fetched(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    (built / "attestation.json").write_text("signed")
    publish(github, built, "notes")
    assert [asset["name"] for asset in fake.releases[0]["assets"]][-1] == "manifest.json"
    fetch(github, "v1.2.0", tmp_path / "fetched")
    assert (tmp_path / "fetched" / "attestation.json").read_text() == "signed"


def test_publishing_again_uploads_the_missing_files(
    fake: FakeGithub, github: Github, built: Path
) -> None:
    publish(github, built, "notes")
    fake.releases[0]["assets"] = fake.releases[0]["assets"][:2]
    publish(github, built, "notes")
    names = [asset["name"] for asset in fake.releases[0]["assets"]]
    others = ["manifest.json", "openapi.json"]
    assert sorted(names) == sorted([*PACKAGES, *map(bill_of, PACKAGES), *others])


def test_the_document_of_the_api_is_published(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text('{"openapi": "3.1.0"}')
    publish(github, built, "notes", document)
    assert fake.files["openapi.json"] == document.read_bytes()


def test_a_release_needs_its_document_as_the_one_to_compare_with(tmp_path: Path) -> None:
    document, released = tmp_path / "openapi.json", tmp_path / "openapi-released.json"
    document.write_text("new")
    released.write_text("old")
    with pytest.raises(Refused, match="--released and commit"):
        check_document(document, released)
    released.write_text("new")
    check_document(document, released)


def test_a_changed_file_is_refused(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    publish(github, built, "notes")
    fake.files["api.zip"] = b"something else"
    with pytest.raises(Refused, match=r"api\.zip has the hash"):
        fetch(github, "v1.2.0", tmp_path / "fetched")


@pytest.mark.parametrize("annotated", [False, True])
def test_a_manifest_that_names_another_commit_than_the_tag_is_refused(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path, annotated: bool
) -> None:
    """A file of a release can be replaced, and the commit in it is checked out and run."""
    publish(github, built, "notes")
    if annotated:
        fake.tags |= {"v1.2.0": ("tag", "a" * 40), "a" * 40: ("commit", COMMIT)}
    content = json.loads(fake.files["manifest.json"])
    fake.files["manifest.json"] = json.dumps({**content, "commit": "1" * 40}).encode()
    with pytest.raises(Refused, match=f"names commit {'1' * 40}, but the tag {COMMIT}"):
        fetch(github, "v1.2.0", tmp_path / "fetched")
    assert not (tmp_path / "fetched" / "api.zip").exists()


def test_a_release_of_an_annotated_tag_is_fetched(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    publish(github, built, "notes")
    fake.tags |= {"v1.2.0": ("tag", "a" * 40), "a" * 40: ("tag", "b" * 40)}
    fake.tags["b" * 40] = ("commit", COMMIT)
    assert fetch(github, "v1.2.0", tmp_path / "fetched").commit == COMMIT


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [
        ({}, "GitHub answered 404"),
        ({"v1.2.0": ("tree", "a" * 40)}, "names a tree, not a commit"),
        ({"v1.2.0": ("tag", "v1.2.0")}, "names a tag, not a commit"),  # of itself
    ],
)
def test_a_release_whose_tag_names_no_commit_is_refused(
    fake: FakeGithub, github: Github, built: Path, tags: dict[str, tuple[str, str]], complaint: str
) -> None:
    publish(github, built, "notes")
    fake.tags = tags
    with pytest.raises(Refused, match=complaint):
        fetch(github, "v1.2.0", built)


def test_a_file_name_cannot_lead_out_of_the_folder(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    publish(github, built, "notes")
    content = json.loads(fake.files["manifest.json"])
    content["files"]["../escaped"] = "0" * 64
    fake.files["manifest.json"] = json.dumps(content).encode()
    fake.releases[0]["assets"].append({"name": "../escaped", "url": "nowhere"})
    with pytest.raises(Refused, match=r"no file named .*escaped"):
        fetch(github, "v1.2.0", tmp_path / "fetched")
    assert not (tmp_path / "escaped").exists()


def test_a_release_without_a_manifest_is_refused(
    fake: FakeGithub, github: Github, built: Path, tmp_path: Path
) -> None:
    publish(github, built, "notes")
    fake.releases[0]["assets"].pop()
    with pytest.raises(Refused, match="publishing it did not finish"):
        fetch(github, "v1.2.0", tmp_path / "fetched")


def test_an_unknown_release_is_refused(github: Github, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"GitHub has no release v9\.9\.9"):
        fetch(github, "v9.9.9", tmp_path)


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2.0/../../..", "", "v1.2.0\n"])
def test_a_tag_has_to_be_a_version(tag: str) -> None:
    with pytest.raises(Refused, match="a tag such as"):
        release.main(["fetch", "--tag", tag])


@pytest.mark.usefixtures("step_outputs")
def test_a_release_is_marked_once_production_runs_it(
    fake: FakeGithub, github: Github, built: Path
) -> None:
    publish(github, built, "notes")
    release.main(["live", "--tag", "v1.2.0"])
    assert fake.releases[0]["prerelease"] is False
    assert fake.releases[0]["make_latest"] == "true"


def test_notes_are_the_changelogs_section(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    changelog = Changelog.read(tmp_path / "CHANGELOG.md")
    assert changelog.notes("v1.2.0") == "### Added\n\n- A thing."
    assert changelog.notes("v1.1.0") == "- Another."


@pytest.mark.parametrize(
    ("tag", "complaint"), [("v1.3.0", "no section"), ("vUnreleased", "is empty")]
)
def test_a_release_needs_a_section_with_text(tmp_path: Path, tag: str, complaint: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    with pytest.raises(Refused, match=complaint):
        Changelog.read(tmp_path / "CHANGELOG.md").notes(tag)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("## 1.2.0\n", "write '## 1.2.0' as"),
        ("## [1.2.0]\n", "has no date"),
        ("## [1.2.0] - 2026-11-01\n\n## [1.2.0] - 2026-11-02\n", "two sections"),
    ],
)
def test_a_changelog_in_another_form_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(text)
    with pytest.raises(Refused, match=complaint):
        Changelog.read(tmp_path / "CHANGELOG.md")


def test_the_repositorys_own_changelog_can_be_read() -> None:
    assert Changelog.read(FILE).names()[0] == "Unreleased"
