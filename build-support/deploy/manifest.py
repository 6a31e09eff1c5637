"""The manifest of a release: hashes of its files, written by the build, checked by each deploy."""

import argparse
import hashlib
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from bill import SUFFIX
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
from services.declared import SERVICES

NAME: Final = "manifest.json"
PACKAGES: Final = tuple(f"{name}.zip" for name in sorted(SERVICES))
IMAGE: Final = "runner-image.tar"
# The provenance of every file, signed by GitHub. It is made after the manifest, which therefore
# cannot name it.
ATTESTATION: Final = "attestation.json"

# Other files that the pipeline's programs and `./pants package ::` write to dist, and the API's
# document, which a release has too.
_OTHER_FILES: Final = frozenset(
    {
        *(NAME, ATTESTATION, "openapi.json", "runner.pex"),
        *("saved.json", "saved.tfplan", "served.json"),
    }
)

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_RELEASE: Final = re.compile(r"v\d+\.\d+\.\d+|" + _COMMIT.pattern)


def bill_of(name: str) -> str:
    """Return the name of a file's bill of materials: api.cdx.json for api.zip."""
    return Path(name).stem + SUFFIX


_PACKAGE_FILES: Final = tuple(sorted([*PACKAGES, *map(bill_of, PACKAGES)]))
_IMAGE_FILES: Final = (bill_of(IMAGE), IMAGE)


@dataclass(frozen=True)
class Manifest:
    """A release: a tag (v1.2.3) or a commit of main, and the SHA-256 of each of its files.

    `image_config` is the digest of the image's configuration, which contains the digests of all
    layers. The digest of the image itself is unknown until the image is pushed.
    """

    release: str
    commit: str
    files: Mapping[str, str]
    image_config: str | None

    def __post_init__(self) -> None:
        """Refuse malformed names: they are used as a commit, a tag and file paths."""
        if not _RELEASE.fullmatch(self.release):
            raise Refused(f"a release is named v1.2.3 or by a full commit id, not {self.release!r}")
        if not _COMMIT.fullmatch(self.commit):
            raise Refused(f"{self.commit!r} is not a full commit id")
        known = {*_PACKAGE_FILES, *_IMAGE_FILES}
        if unknown := sorted(set(self.files) - known):
            raise Refused(f"a release has no file named {', '.join(map(repr, unknown))}")
        if not all(_SHA256.fullmatch(digest) for digest in self.files.values()):
            raise Refused(f"release {self.release} has a hash that is not a SHA-256")

    @classmethod
    def create(cls, folder: Path, *, release: str, commit: str) -> Self:
        """Return the manifest of the files that the build wrote to a folder.

        Raises:
            Refused: A file is missing, or `release` or `commit` has the wrong form.
        """
        image = folder / IMAGE
        expected = [*_PACKAGE_FILES, *(_IMAGE_FILES if image.is_file() else ())]
        missing = [name for name in expected if not (folder / name).is_file()]
        if missing:
            raise Refused(
                f"{', '.join(missing)} missing in {folder}: run ./pants package :: "
                "(and build-support/deploy:image save for the image)"
            )
        return cls(
            release=release,
            commit=commit,
            files={name: sha256(folder / name) for name in expected},
            image_config=image_config(image) if image.is_file() else None,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest.

        Raises:
            Refused: The file is not a manifest.
        """
        content: Any = read_json(path)
        try:
            return cls(**content)
        except (AttributeError, TypeError):
            raise Refused(f"{path} is not a manifest") from None

    def verify(self, folder: Path) -> None:
        """Check that a folder contains the files of this release and no other files.

        Raises:
            Refused: Files are missing, unknown or have another hash; the message names each.
        """
        wrong = [
            f"{name} is not a file of the release: delete it"
            for name in sorted(path.name for path in folder.iterdir() if not path.is_dir())
            if name not in {*self.files, *_OTHER_FILES}
        ]
        required = {*_PACKAGE_FILES, *(_IMAGE_FILES if self.image_config else ())}
        for name in sorted({*self.files, *required}):
            if name not in self.files:
                wrong.append(f"{name} is not in the manifest")
            elif not (folder / name).is_file():
                wrong.append(f"{name} is missing")
            elif (found := sha256(folder / name)) != self.files[name]:
                wrong.append(f"{name} has the hash {found}, not {self.files[name]}")
        found_config = image_config(folder / IMAGE) if IMAGE in self.files and not wrong else None
        if not wrong and found_config != self.image_config:
            wrong.append(f"{IMAGE} has the configuration {found_config}, not {self.image_config}")
        if wrong:
            raise Refused(f"{folder} is not release {self.release}: " + "; ".join(wrong))

    def write(self, path: Path) -> None:
        """Write the manifest; equal manifests give equal bytes."""
        write_json(path, asdict(self))

    def contents(self) -> list[dict[str, str]]:
        """Return each file that has a bill of materials, for the job that attests the bills."""
        files = [name for name in sorted(self.files) if not name.endswith(SUFFIX)]
        return [{"file": name, "bill": bill_of(name)} for name in files]

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
    """Return the digest of the configuration of the image in an archive of `docker save`."""
    try:
        with tarfile.open(archive) as tar:
            index = json.loads(_member(tar, "manifest.json"))
            if len(index) != 1:
                raise Refused(f"{archive} contains {len(index)} images instead of one")
            return "sha256:" + hashlib.sha256(_member(tar, index[0]["Config"])).hexdigest()
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise Refused(f"{archive} is not an archive of `docker save`: {error}") from error


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__, environment=False)
    cli.add_argument("action", choices=("create", "verify"))
    cli.add_argument("--folder", type=Path, default=REPOSITORY / "dist")
    cli.add_argument("--release", help="v1.2.3, by default the commit; for create")
    cli.add_argument("--commit", help="the full commit id; for create")
    cli.add_argument("--sha256", help="expected hash of the manifest itself; for verify")
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Write dist/manifest.json, or check dist/ against it."""
    args = _arguments(arguments)
    path = args.folder / NAME
    if args.dry_run:
        print(f"would {args.action} {path}")
        return
    if args.action == "create":
        manifest = Manifest.create(
            args.folder, release=args.release or args.commit or "", commit=args.commit or ""
        )
        manifest.write(path)
    else:
        if args.sha256 is not None and sha256(path) != args.sha256:
            raise Refused(f"{path} is not the manifest that the build wrote ({args.sha256})")
        manifest = Manifest.read(path)
        manifest.verify(args.folder)
    set_outputs(
        {
            "release": manifest.release,
            "commit": manifest.commit,
            "sha256": sha256(path),
            "contents": json.dumps(manifest.contents()),
        }
    )
    summarise(manifest.table())


if __name__ == "__main__":
    run(main)
