"""The image in the registry is the one that the build saved, under an immutable tag."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy import image, program
from deploy.manifest import Manifest, image_config
from deploy.program import Refused
from deploy.tests.ecr_lifecycle import Image, expired
from deploy.tests.fakes import image_archive, write_packages

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner"

LIFECYCLE = json.loads((program.REPOSITORY / "bootstrap" / "ecr-lifecycle.json").read_text())


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


def test_the_image_of_a_commit_has_a_tag_that_the_rule_for_commits_counts(
    monkeypatch: pytest.MonkeyPatch, archive: Path
) -> None:
    write_packages(archive.parent)
    commit = Manifest.create(archive.parent, release="0" * 40, commit="0" * 40)
    registry = _Registry()
    _use(monkeypatch, registry)
    image.push(archive, commit, REPOSITORY)
    assert registry.pushes == [f"{REPOSITORY}:commit-{'0' * 40}"]


# --- Which images stay ----------------------------------------------------------------------------

DAY = 86_400.0


def _images() -> list[Image]:
    """Three releases, each before a hundred pushes to main, and what failed pushes left behind."""
    images = []
    for release in range(3):
        begin = release * 100 * DAY
        images.append(Image([f"v1.{release}.0"], begin))
        images += [
            Image([f"commit-{release}{push:039d}"], begin + push * DAY) for push in range(1, 100)
        ]
    return [*images, Image([], 298 * DAY), Image([], 250 * DAY)]


def _kept(policy: dict[str, Any], images: list[Image]) -> list[Image]:
    gone = expired(policy, images, now=300 * DAY)
    return [one for one in images if one not in gone]


def test_pushes_to_main_expire_no_release() -> None:
    kept = _kept(LIFECYCLE, _images())
    assert [one.tags[0] for one in kept if one.tags and one.tags[0].startswith("v")] == [
        "v1.0.0",
        "v1.1.0",
        "v1.2.0",
    ]


def test_the_newest_commits_and_new_untagged_images_stay() -> None:
    kept = _kept(LIFECYCLE, _images())
    commits = [one for one in kept if one.tags and one.tags[0].startswith("commit-")]
    assert [one.tags[0][-2:] for one in commits] == [f"{push}" for push in range(70, 100)]
    assert [one.pushed for one in kept if not one.tags] == [298 * DAY]


def test_an_image_that_is_both_a_commit_and_a_release_stays() -> None:
    both = Image([f"commit-{'0' * 40}", "v1.0.0"], 0)
    assert both in _kept(LIFECYCLE, [both, *_images()])


def test_only_the_oldest_of_more_than_fifty_releases_expires() -> None:
    releases = [Image([f"v1.{number}.0"], number * DAY) for number in range(52)]
    assert expired(LIFECYCLE, releases, now=300 * DAY) == releases[:2]


def test_one_rule_for_all_images_would_expire_what_prod_serves() -> None:
    """The evaluation finds the mistake that these rules are there to prevent."""
    together = copy.deepcopy(LIFECYCLE)
    together["rules"] = [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": 50,
            },
            "action": {"type": "expire"},
        }
    ]
    assert Image(["v1.0.0"], 0) in expired(together, _images(), now=300 * DAY)


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
