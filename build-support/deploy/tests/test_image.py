"""The image in the registry is the one that the build saved, under an immutable tag."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy import image, program
from deploy.manifest import Manifest, image_config
from deploy.program import Refused
from deploy.tests.fakes import image_archive, write_packages

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner"


class _Registry:
    """ECR with at most one image, and a docker that pushes to it."""

    def __init__(self, config: str | None = None) -> None:
        self.config = config
        self.pushes: list[str] = []
        self.loaded = ""

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        if self.config is None:
            return {"images": []}
        manifest = json.dumps({"config": {"digest": self.config}})
        digest = "sha256:" + "d" * 64
        return {"images": [{"imageId": {"imageDigest": digest}, "imageManifest": manifest}]}

    def get_authorization_token(self) -> dict[str, Any]:
        return {"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA=="}]}

    def docker(self, *arguments: str, text: str | None = None) -> str:
        match arguments:
            case ["login", *_]:
                assert text == "secret"
            case ["image", "load", "--input", archive]:
                self.loaded = image_config(Path(archive))
                return "Loaded image: runner:latest\n"
            case ["image", "push", "--quiet", reference]:
                self.pushes.append(reference)
                self.config = self.loaded
        return ""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    image_archive(tmp_path / "runner-image.tar", "one")
    return tmp_path / "runner-image.tar"


@pytest.fixture
def release(archive: Path) -> Manifest:
    write_packages(archive.parent)
    return Manifest.create(archive.parent, release="v1.2.3", commit="0" * 40)


def _use(monkeypatch: pytest.MonkeyPatch, registry: _Registry) -> None:
    monkeypatch.setattr(image, "client", lambda _: registry)
    monkeypatch.setattr(image, "_docker", registry.docker)


def test_a_release_is_pushed_once_and_deployed_by_digest(
    monkeypatch: pytest.MonkeyPatch, archive: Path, release: Manifest
) -> None:
    registry = _Registry()
    _use(monkeypatch, registry)
    expected = f"{REPOSITORY}@sha256:{'d' * 64}"
    assert image.push(archive, release, REPOSITORY) == expected
    assert image.push(archive, release, REPOSITORY) == expected  # the next environment
    assert registry.pushes == [f"{REPOSITORY}:v1.2.3"]


def test_another_image_under_the_releases_tag_is_refused(
    monkeypatch: pytest.MonkeyPatch, archive: Path, release: Manifest
) -> None:
    _use(monkeypatch, _Registry("sha256:" + "0" * 64))
    with pytest.raises(Refused, match="in the registry has the configuration sha256:0000"):
        image.push(archive, release, REPOSITORY)


def test_the_archive_of_another_release_is_refused(
    monkeypatch: pytest.MonkeyPatch, archive: Path, release: Manifest
) -> None:
    registry = _Registry()
    _use(monkeypatch, registry)
    image_archive(archive, "two")
    with pytest.raises(Refused, match=r"is not the image of release v1\.2\.3"):
        image.push(archive, release, REPOSITORY)
    assert registry.pushes == []


def test_the_error_of_an_empty_repository_names_the_output() -> None:
    with pytest.raises(Refused, match="ecr_repository_urls"):
        image.main(["push", "--repository", "", "--dry-run"])


def test_the_image_is_built_on_bases_by_digest() -> None:
    text = (program.REPOSITORY / "backend" / "runner" / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    assert bases
    assert [base for base in bases if not re.search(r"@sha256:[0-9a-f]{64}$", base)] == []
