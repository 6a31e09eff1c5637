"""Puts Terraform's providers where the tests look for them: they run without a registry."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.program import Refused, parser, run
from deploy.terraform import FOLDER


def main(arguments: Sequence[str]) -> None:
    """Mirror the providers of the lock file into ~/.terraform.d/plugins."""
    found = parser(__doc__, environment=False)
    found.add_argument("--folder", type=Path, default=Path.home() / ".terraform.d" / "plugins")
    given = found.parse_args(arguments)
    if given.dry_run or (given.folder / "registry.terraform.io" / "hashicorp" / "aws").is_dir():
        print(f"{given.folder} is where the providers belong")
        return
    given.folder.mkdir(parents=True, exist_ok=True)
    command = ["terraform", f"-chdir={FOLDER}", "providers", "mirror", str(given.folder)]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - the program is fixed
        raise Refused("terraform could not fetch its providers")


if __name__ == "__main__":
    run(main)
