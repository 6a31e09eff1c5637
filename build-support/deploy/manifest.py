"""Which files a release consists of, by hash: the build writes it, each deploy is held to it."""

import argparse
import hashlib
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from deploy.program import (
    REPOSITORY,
    Refused,
    parser,
    read_json,
    run,
    set_outputs,
    summarise,
    write_json,
)

NAME: Final = "manifest.json"
PACKAGES: Final = ("api.zip", "chat.zip", "rotation.zip", "runner.zip", "s3vector.zip")
IMAGE: Final = "runner-image.tar"

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_RELEASE: Final = re.compile(r"v\d+\.\d+\.\d+|" + _COMMIT.pattern)


@dataclass(frozen=True)
class Manifest:
    """A release: a tag (v1.2.3) or a commit of main, and the SHA-256 of each of its files.

    `image_config` is the digest of the image's configuration, which names every layer by its
    content. Unlike the digest of the image in a registry it is known before the image is pushed.
    """

    release: str
    commit: str
    files: Mapping[str, str]
    image_config: str | None

    def __post_init__(self) -> None:
        """Refuse another name: it is checked out, and is the tag of an image."""
        if not _RELEASE.fullmatch(self.release):
            raise Refused(f"a release is named v1.2.3 or by its whole commit, not {self.release!r}")
        if not _COMMIT.fullmatch(self.commit):
            raise Refused(f"{self.commit!r} is not a whole commit id")

    @classmethod
    def create(cls, folder: Path, *, release: str, commit: str) -> Self:
        """Describe what the build left in a folder.

        Raises:
            Refused: A package is missing, or the names are not a release's and a commit's.
        """
        missing = [name for name in PACKAGES if not (folder / name).is_file()]
        if missing:
            raise Refused(f"{', '.join(missing)} missing in {folder}: ./pants package ::")
        image = folder / IMAGE
        present = [*PACKAGES, IMAGE] if image.is_file() else list(PACKAGES)
        return cls(
            release=release,
            commit=commit,
            files={name: sha256(folder / name) for name in present},
            image_config=image_config(image) if image.is_file() else None,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest, and refuse one that does not look like one."""
        content: Any = read_json(path)
        try:
            return cls(**content)
        except TypeError:
            raise Refused(f"{path} is not a manifest") from None

    def verify(self, folder: Path) -> None:
        """Refuse a folder that holds anything but this release's files.

        Raises:
            Refused: It names each file that is missing or has another hash.
        """
        wrong = []
        for name in sorted({*self.files, *PACKAGES}):
            if name not in self.files:
                wrong.append(f"{name} is not in the manifest")
            elif not (folder / name).is_file():
                wrong.append(f"{name} is missing")
            elif (found := sha256(folder / name)) != self.files[name]:
                wrong.append(f"{name} has the hash {found}, not {self.files[name]}")
        if wrong:
            raise Refused(f"{folder} is not release {self.release}: " + "; ".join(wrong))

    def write(self, path: Path) -> None:
        """Write the manifest: equal releases are equal bytes."""
        write_json(path, asdict(self))

    def table(self) -> str:
        """Return the manifest as Markdown."""
        rows = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in self.files.items())
        image = f"\n\nImage: `{self.image_config}`" if self.image_config else "\n\nNo image."
        title = f"### Release {self.release} (commit {self.commit[:12]})"
        return f"{title}\n\n| file | SHA-256 |\n|---|---|\n{rows}{image}"


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def image_config(archive: Path) -> str:
    """Return the digest of the configuration of the one image in an archive of `docker save`."""
    try:
        with tarfile.open(archive) as tar:
            index = json.loads(_member(tar, "manifest.json"))
            if len(index) != 1:
                raise Refused(f"{archive} holds {len(index)} images, not one")
            return "sha256:" + hashlib.sha256(_member(tar, index[0]["Config"])).hexdigest()
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise Refused(f"{archive} is not an archive of `docker save`: {error}") from error


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    found = parser(__doc__, environment=False)
    found.add_argument("action", choices=("create", "verify"))
    found.add_argument("--folder", type=Path, default=REPOSITORY / "dist")
    found.add_argument("--release", help="v1.2.3, or the commit; for create")
    found.add_argument("--commit", help="the whole commit id; for create")
    found.add_argument("--sha256", help="what the manifest itself must hash to; for verify")
    return found.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Write dist/manifest.json, or hold dist/ to it."""
    given = _arguments(arguments)
    path = given.folder / NAME
    if given.dry_run:
        print(f"would {given.action} {path}")
        return
    if given.action == "create":
        manifest = Manifest.create(
            given.folder, release=given.release or given.commit or "", commit=given.commit or ""
        )
        manifest.write(path)
    else:
        if given.sha256 is not None and sha256(path) != given.sha256:
            raise Refused(f"{path} is not the manifest that the build wrote ({given.sha256})")
        manifest = Manifest.read(path)
        manifest.verify(given.folder)
    set_outputs({"release": manifest.release, "commit": manifest.commit, "sha256": sha256(path)})
    summarise(manifest.table())


if __name__ == "__main__":
    run(main)
