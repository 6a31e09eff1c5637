"""Applies the plan that was saved, as it was saved. Production needs its approval variables."""

import os
from collections.abc import Sequence
from pathlib import Path

from deploy.approval import Approval
from deploy.plan import FILE, discard
from deploy.program import Refused, parser, read_json, run
from deploy.terraform import FOLDER, Terraform


def main(arguments: Sequence[str]) -> None:
    """Check whose plan it is and whether somebody agreed, then apply it."""
    found = parser(__doc__)
    found.add_argument("--plan", type=Path, default=FILE)
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    given = found.parse_args(arguments)
    if given.dry_run:
        print(f"would apply {given.plan} to {given.environment}")
        return
    label = read_json(given.plan.with_suffix(".json"))
    if label["environment"] != given.environment:
        raise Refused(f"{given.plan} is a plan of {label['environment']}, not {given.environment}")
    Approval.required(given.environment, label["release"], os.environ)
    Terraform(given.environment, given.terraform).apply(given.plan)
    # A plan is good for one apply, and holds keys in plain text.
    discard(given.plan)


if __name__ == "__main__":
    run(main)
