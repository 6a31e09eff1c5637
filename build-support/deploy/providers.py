"""Downloads Terraform's providers to the folder from which the tests install them offline."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.program import Refused, parser, run
from deploy.terraform import FOLDER


def main(arguments: Sequence[str]) -> None:
    """Mirror the providers of the lock file into ~/.terraform.d/plugins."""
    cli = parser(__doc__, environment=False)
    cli.add_argument("--folder", type=Path, default=Path.home() / ".terraform.d" / "plugins")
    args = cli.parse_args(arguments)
    if args.dry_run or (args.folder / "registry.terraform.io" / "hashicorp" / "aws").is_dir():
        print(f"the providers belong in {args.folder}")
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    command = ["terraform", f"-chdir={FOLDER}", "providers", "mirror", str(args.folder)]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - the program is fixed
        raise Refused("terraform could not download its providers")


if __name__ == "__main__":
    run(main)
