"""Checks that GitHub built the files of a release from its tag in this repository's workflow.

REQUIRE_ATTESTATION says whether a release needs this. deploy-environment.yml sets it for tags of a
public repository, because GitHub attests nothing else.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.manifest import ATTESTATION, NAME, Manifest
from deploy.program import REPOSITORY, Refused, parser, run

REQUIRED: Final = "REQUIRE_ATTESTATION"
WORKFLOW: Final = ".github/workflows/deploy.yml"

_TIMEOUT_SECONDS: Final = 120


def verify(folder: Path, repository: str) -> list[str]:
    """Verify the attestation of each file of a release, and return their names.

    Args:
        folder: The release's files, their manifest and the attestation.
        repository: OWNER/NAME.

    Raises:
        Refused: An attestation is missing, or names another file, workflow, tag or commit.
    """
    bundle = folder / ATTESTATION
    if not bundle.is_file():
        raise Refused(
            f"{bundle} does not exist: the release was published without an attestation. Publish "
            "it again from its tag"
        )
    manifest = Manifest.read(folder / NAME)
    names = [NAME, *sorted(manifest.files)]
    for name in names:
        _gh(
            *("attestation", "verify", str(folder / name)),
            *("--bundle", str(bundle)),
            *("--repo", repository),
            *("--signer-workflow", f"{repository}/{WORKFLOW}"),
            *("--source-ref", f"refs/tags/{manifest.release}"),
            *("--source-digest", manifest.commit),
            "--deny-self-hosted-runners",
        )
    return names


def _gh(*arguments: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            ["gh", *arguments],  # noqa: S607 - GitHub's machines have it on PATH
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except FileNotFoundError:
        raise Refused("gh is not on PATH: install GitHub's command line, 2.68 or newer") from None
    except subprocess.TimeoutExpired:
        raise Refused(f"gh did not answer within {_TIMEOUT_SECONDS} s: run this again") from None
    if done.returncode != 0:
        raise Refused(f"{Path(arguments[2]).name} is not attested: {done.stderr.strip()}")


def main(arguments: Sequence[str]) -> None:
    """Verify the attestations, unless REQUIRE_ATTESTATION is `false`."""
    cli = parser(__doc__, environment=False)
    cli.add_argument("--folder", type=Path, default=REPOSITORY / "dist")
    args = cli.parse_args(arguments)
    required = os.environ.get(REQUIRED, "")
    if required not in ("true", "false"):
        raise Refused(f"set {REQUIRED} to true or false, not {required!r}")
    if required == "false":
        print("no attestation is required of this release")
        return
    if args.dry_run:
        print(f"would verify the attestations of {args.folder}")
        return
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise Refused(f"GITHUB_REPOSITORY is {repository!r}, not OWNER/NAME")
    for name in verify(args.folder, repository):
        print(f"{name} is attested")


if __name__ == "__main__":
    run(main)
