"""The manifest identifies the files of a release by hash."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import manifest
from deploy.manifest import IMAGE, PACKAGES, Manifest, bill_of
from deploy.program import Refused
from deploy.tests.fakes import image_archive, write_packages

COMMIT = "0123456789" * 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    write_packages(folder)
    return folder


def test_a_manifest_contains_the_hashes_of_packages_and_image(folder: Path) -> None:
    image_archive(folder / IMAGE, "one")
    made = Manifest.create(folder, release="v1.2.3", commit=COMMIT)
    files = [*PACKAGES, IMAGE]
    assert sorted(made.files) == sorted([*files, *map(bill_of, files)])
    made.write(folder / "manifest.json")
    assert Manifest.read(folder / "manifest.json") == made
    made.verify(folder)


def test_equal_releases_have_equal_manifests(folder: Path) -> None:
    Manifest.create(folder, release=COMMIT, commit=COMMIT).write(folder / "one.json")
    Manifest.create(folder, release=COMMIT, commit=COMMIT).write(folder / "two.json")
    assert (folder / "one.json").read_bytes() == (folder / "two.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda folder: (folder / "api.zip").write_bytes(b"other"), "api.zip has the hash"),
        (lambda folder: (folder / "chat.zip").unlink(), "chat.zip is missing"),
        (lambda folder: (folder / "chat.cdx.json").unlink(), "chat.cdx.json is missing"),
        (lambda folder: (folder / "evil.zip").touch(), "evil.zip is not a file of the release"),
        (lambda folder: (folder / ".hidden").touch(), ".hidden is not a file of the release"),
        (lambda folder: image_archive(folder / IMAGE, "x"), "runner-image.tar is not a file of"),
    ],
)
def test_other_files_are_refused(folder: Path, change: object, complaint: str) -> None:
    made = Manifest.create(folder, release="v1.2.3", commit=COMMIT)
    assert callable(change)
    change(folder)
    with pytest.raises(Refused, match=complaint):
        made.verify(folder)


def test_what_the_pipeline_itself_writes_is_no_unknown_file(folder: Path) -> None:
    made = Manifest.create(folder, release="v1.2.3", commit=COMMIT)
    for name in ("manifest.json", "attestation.json", "runner.pex", "saved.tfplan", "served.json"):
        (folder / name).touch()
    (folder / "stock").mkdir()
    made.verify(folder)


@pytest.mark.parametrize("name", ["evil.zip", "../api.zip", "/tmp/api.zip", "stock/api.zip"])
def test_a_manifest_that_names_an_unknown_file_is_refused(folder: Path, name: str) -> None:
    """`fetch` downloads the files that a manifest names, and a deploy publishes them."""
    made = Manifest.create(folder, release="v1.2.3", commit=COMMIT)
    with pytest.raises(Refused, match="a release has no file named"):
        Manifest("v1.2.3", COMMIT, {**made.files, name: "0" * 64}, None)


@pytest.mark.parametrize("files", [[], None, {"api.zip": "0"}])
def test_a_manifest_of_another_form_is_refused(folder: Path, files: object) -> None:
    content = {"release": "v1.2.3", "commit": COMMIT, "files": files, "image_config": None}
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(Refused, match=r"not a (manifest|SHA-256)"):
        Manifest.read(folder / "manifest.json")


def test_the_digest_of_the_image_is_verified(folder: Path) -> None:
    image_archive(folder / IMAGE, "one")
    made = Manifest.create(folder, release="v1.2.3", commit=COMMIT)
    with pytest.raises(Refused, match="has the configuration sha256:"):
        replace(made, image_config="sha256:" + "0" * 64).verify(folder)


def test_an_image_that_the_manifest_leaves_out_is_missing(folder: Path) -> None:
    made = Manifest.create(folder, release="v1.2.3", commit=COMMIT)
    with pytest.raises(Refused, match=r"runner-image\.tar is not in the manifest"):
        replace(made, image_config="sha256:" + "0" * 64).verify(folder)


def test_a_manifest_that_leaves_a_package_out_is_refused(folder: Path) -> None:
    made = Manifest("v1.2.3", COMMIT, {}, None)
    with pytest.raises(Refused, match=r"api\.zip is not in the manifest"):
        made.verify(folder)


@pytest.mark.parametrize("release", ["1.2.3", "v1.2", "main", "v1.2.3; rm -rf /", ""])
def test_a_release_is_a_version_or_a_commit(folder: Path, release: str) -> None:
    with pytest.raises(Refused, match="a release is named"):
        Manifest.create(folder, release=release, commit=COMMIT)


def test_a_missing_package_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"rotation\.zip.*\./pants package ::"):
        Manifest.create(tmp_path, release="v1.2.3", commit=COMMIT)


def test_the_program_outputs_the_hash_of_the_manifest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = folder.parent / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    given = ["--folder", str(folder)]
    manifest.main(["create", "--release", "v1.2.3", "--commit", COMMIT, *given])
    values = dict(line.split("=") for line in outputs.read_text().splitlines())
    assert json.loads(values["contents"]) == [
        {"file": name, "bill": bill_of(name)} for name in PACKAGES
    ]
    assert (values["release"], values["commit"]) == ("v1.2.3", COMMIT)
    digest = values["sha256"]
    manifest.main(["verify", "--sha256", digest, *given])

    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(Refused, match="is not the manifest that the build wrote"):
        manifest.main(["verify", "--sha256", digest, *given])


def test_images_are_distinguished_by_their_content(tmp_path: Path) -> None:
    for name in ("one", "two"):
        image_archive(tmp_path / name, name)
    image_archive(tmp_path / "again", "one")
    first, second = (manifest.image_config(tmp_path / name) for name in ("one", "two"))
    assert first != second
    assert manifest.image_config(tmp_path / "again") == first


def test_a_file_that_is_no_image_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"no tar")
    with pytest.raises(Refused, match="not an archive of `docker save`"):
        manifest.image_config(tmp_path / "image")


def test_a_manifest_that_names_no_commit_is_refused(folder: Path) -> None:
    """The manifest is not trusted, and the commit that it names is checked out."""
    Manifest.create(folder, release="v1.2.3", commit=COMMIT).write(folder / "manifest.json")
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**content, "commit": "main"}))
    with pytest.raises(Refused, match="'main' is not a full commit id"):
        Manifest.read(folder / "manifest.json")
