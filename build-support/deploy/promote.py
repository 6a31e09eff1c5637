"""Lets an environment serve the newest versions, which `smoke --staged` has tried."""

from collections.abc import Sequence
from pathlib import Path

from deploy.program import parser, run, summarise
from deploy.serving import describe
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import Serving, callers_last


def main(arguments: Sequence[str]) -> None:
    """Move every `live` alias to the version that was published last."""
    found = parser(__doc__)
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    given = found.parse_args(arguments)
    if given.dry_run:
        print(f"would let {given.environment} serve the newest versions")
        return
    outputs = Terraform(given.environment, given.terraform).outputs()
    staged = Serving.now(outputs).staged()
    for service in callers_last(staged):
        staged[service].move(staged[service].version)
    summarise(describe(given.environment, Serving.now(outputs)))


if __name__ == "__main__":
    run(main)
