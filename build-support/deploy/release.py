"""A release on GitHub: its notes, its files, and the way back to an earlier one.

`notes` prints what the changelog says. `publish` makes the release of a tag with the files of
dist/. `fetch` brings the files of an earlier release back. `live` marks a release as the one that
production runs.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.changelog import FILE, Changelog
from deploy.github import Github
from deploy.manifest import NAME, Manifest
from deploy.program import REPOSITORY, Refused, parser, run, summarise


def publish(github: Github, folder: Path, notes: str) -> None:
    """Make the release, or finish one that an earlier run began; files that are there stay."""
    manifest = Manifest.read(folder / NAME)
    manifest.verify(folder)
    release = github.release(manifest.release) or github.create_release(
        manifest.release, manifest.commit, notes
    )
    present = {asset["name"] for asset in release.get("assets", [])}
    # The manifest comes last: a release that has one is whole.
    for name in [*sorted(manifest.files), NAME]:
        if name not in present:
            github.upload(release, folder / name)


def fetch(github: Github, tag: str, folder: Path) -> Manifest:
    """Bring the files of a release, and hold them to its manifest, and that to the tag.

    Raises:
        Refused: The release is not whole, or was changed since: whoever may write releases can put
            another manifest there, and its commit is what will run.
    """
    release = _existing(github, tag)
    assets = {asset["name"]: asset for asset in release["assets"]}
    if NAME not in assets:
        raise Refused(f"the release {tag} has no manifest: it was never published whole")
    folder.mkdir(parents=True, exist_ok=True)
    github.download(assets[NAME], folder / NAME)
    manifest = Manifest.read(folder / NAME)
    if manifest.release != tag:
        raise Refused(f"the manifest of {tag} is that of {manifest.release}")
    if manifest.commit != (commit := github.tag_commit(tag)):
        raise Refused(f"the manifest of {tag} names commit {manifest.commit}, the tag {commit}")
    for name in manifest.files:
        # A name comes from outside: it must not lead out of the folder.
        if name not in assets or Path(name).name != name:
            raise Refused(f"the release {tag} lacks {name}")
        github.download(assets[name], folder / name)
    manifest.verify(folder)
    return manifest


def _existing(github: Github, tag: str) -> dict[str, Any]:
    release = github.release(tag)
    if release is None:
        raise Refused(f"there is no release {tag}")
    return release


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    found = parser(__doc__, environment=False)
    found.add_argument("action", choices=("notes", "publish", "fetch", "live"))
    found.add_argument("--tag", required=True, help="v1.2.3")
    found.add_argument("--folder", type=Path, default=REPOSITORY / "dist")
    found.add_argument("--changelog", type=Path, default=FILE)
    return found.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Do one of the four."""
    given = _arguments(arguments)
    if not re.fullmatch(r"v\d+\.\d+\.\d+", given.tag):
        raise Refused(f"a release is a tag such as v1.2.3, not {given.tag!r}")
    if given.dry_run:
        print(f"would do '{given.action}' for {given.tag}")
        return
    if given.action == "notes":
        summarise(Changelog.read(given.changelog).notes(given.tag))
        return
    github = Github.of_environment()
    if given.action == "publish":
        publish(github, given.folder, Changelog.read(given.changelog).notes(given.tag))
    elif given.action == "fetch":
        summarise(fetch(github, given.tag, given.folder).table())
    else:
        github.promote_release(int(_existing(github, given.tag)["id"]))
        print(f"{given.tag} is the release that production runs")


if __name__ == "__main__":
    run(main)
