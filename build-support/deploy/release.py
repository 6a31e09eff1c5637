"""Publishes a release on GitHub, and downloads an earlier one.

`notes` prints the changelog's section, and checks that the API's document is ready. `publish`
creates the release of a tag with the files of dist/ and the API's document. `fetch` downloads the
files of a release to dist/. `live` marks a release as the latest, once prod runs it.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from deploy.changelog import FILE, Changelog
from deploy.github import Github
from deploy.manifest import ATTESTATION, NAME, Manifest
from deploy.program import REPOSITORY, Refused, parser, run, summarise

# The API's document, and the one that later changes are compared with.
DOCUMENT: Final = REPOSITORY / "docs" / "openapi.json"
RELEASED: Final = REPOSITORY / "docs" / "openapi-released.json"


def check_document(document: Path = DOCUMENT, released: Path = RELEASED) -> None:
    """Check that later changes will be compared with the document of this release.

    Raises:
        Refused: They would be compared with an older document.
    """
    if document.read_bytes() != released.read_bytes():
        raise Refused(
            f"{released.name} is not {document.name}: run ./pants run build-support/contract:write "
            "-- --released and commit what it writes before the tag"
        )


def publish(github: Github, folder: Path, notes: str, document: Path = DOCUMENT) -> None:
    """Create the release, or add the missing files to one that an earlier run did not finish."""
    manifest = Manifest.read(folder / NAME)
    manifest.verify(folder)
    release = github.release(manifest.release) or github.create_release(
        manifest.release, manifest.commit, notes
    )
    present = {asset["name"] for asset in release.get("assets", [])}
    attested = [ATTESTATION] if (folder / ATTESTATION).is_file() else []
    # The manifest is uploaded last: a release that has one is complete.
    files = [folder / name for name in [*sorted(manifest.files), *attested]]
    for file in [*files, document, folder / NAME]:
        if file.name not in present:
            github.upload(release, file)


def fetch(github: Github, tag: str, folder: Path) -> Manifest:
    """Download the files of a release, and check them against its manifest.

    The manifest is checked against the tag: somebody who may edit releases could replace it, and
    the commit that it names is checked out and run.

    Raises:
        Refused: The release is incomplete, or its files or manifest were changed.
    """
    release = _existing(github, tag)
    assets = {asset["name"]: asset for asset in release["assets"]}
    if NAME not in assets:
        raise Refused(f"the release {tag} has no manifest: publishing it did not finish")
    folder.mkdir(parents=True, exist_ok=True)
    github.download(assets[NAME], folder / NAME)
    manifest = Manifest.read(folder / NAME)
    if manifest.release != tag:
        raise Refused(f"the manifest of {tag} names the release {manifest.release}")
    if manifest.commit != (commit := github.tag_commit(tag)):
        raise Refused(f"the manifest of {tag} names commit {manifest.commit}, but the tag {commit}")
    for name in manifest.files:
        if name not in assets:
            raise Refused(f"the release {tag} lacks {name}")
        github.download(assets[name], folder / name)
    if ATTESTATION in assets:  # `attestation` refuses a release that needs one and has none
        github.download(assets[ATTESTATION], folder / ATTESTATION)
    manifest.verify(folder)
    return manifest


def _existing(github: Github, tag: str) -> dict[str, Any]:
    release = github.release(tag)
    if release is None:
        raise Refused(f"GitHub has no release {tag}")
    return release


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__, environment=False)
    cli.add_argument("action", choices=("notes", "publish", "fetch", "live"))
    cli.add_argument("--tag", required=True, help="v1.2.3")
    cli.add_argument("--folder", type=Path, default=REPOSITORY / "dist")
    cli.add_argument("--changelog", type=Path, default=FILE)
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Run one of the four actions."""
    args = _arguments(arguments)
    if not re.fullmatch(r"v\d+\.\d+\.\d+", args.tag):
        raise Refused(f"a release is a tag such as v1.2.3, not {args.tag!r}")
    if args.dry_run:
        print(f"would run {args.action} for {args.tag}")
        return
    if args.action == "notes":
        check_document()
        summarise(Changelog.read(args.changelog).notes(args.tag))
        return
    github = Github.of_environment()
    if args.action == "publish":
        publish(github, args.folder, Changelog.read(args.changelog).notes(args.tag))
    elif args.action == "fetch":
        summarise(fetch(github, args.tag, args.folder).table())
    else:
        github.promote_release(int(_existing(github, args.tag)["id"]))
        print(f"{args.tag} is the latest release")


if __name__ == "__main__":
    run(main)
