"""Applies a saved plan. For prod, the approval variables have to be set."""

import os
from collections.abc import Sequence
from pathlib import Path

from deploy.approval import Approval
from deploy.manifest import NAME, Manifest, sha256
from deploy.plan import FILE, discard, label_of
from deploy.program import REPOSITORY, Refused, parser, run
from deploy.terraform import FOLDER, Terraform


def main(arguments: Sequence[str]) -> None:
    """Check the plan's environment and the approval, apply the plan, and delete it."""
    cli = parser(__doc__)
    cli.add_argument("--plan", type=Path, default=FILE)
    cli.add_argument(
        "--folder", type=Path, default=REPOSITORY / "dist", help="folder of the release"
    )
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would apply {args.plan} to {args.environment}")
        return
    label = label_of(args.plan, args.environment)
    Approval.required(args.environment, label["release"], os.environ)
    # Terraform reads the packages again when it applies.
    if label["manifest"] != sha256(args.folder / NAME):
        raise Refused(f"{args.plan} is not a plan of the release in {args.folder}: plan it again")
    Manifest.read(args.folder / NAME).verify(args.folder)
    Terraform(args.environment, args.terraform).apply(args.plan)
    # A plan can be applied only once, and contains API keys in plain text.
    discard(args.plan)


if __name__ == "__main__":
    run(main)
