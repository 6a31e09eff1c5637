"""Lets an environment serve again what it served before: aliases in seconds, then the image."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.program import Refused, parser, run, summarise
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import SERVED, Alias, Serving, callers_last, move_image


def roll_back(target: Serving) -> Serving:
    """Move aliases and image to what `target` says, and return what was there.

    Every part is tried, also after another one failed: half a way back is better than none.

    Raises:
        Refused: A part could not be moved; the message names it.
    """
    failures = []
    before: dict[str, Alias] = {}
    for service in reversed(callers_last(target.aliases)):
        alias = target.aliases[service]
        try:
            before[service] = replace(alias, version=alias.current())
            if before[service].version != alias.version:
                alias.move(alias.version)
        except Exception as error:  # noqa: BLE001 - the other parts come first
            failures.append(f"{service}: {error}")
    image = None
    if target.runner_service_arn and target.runner_image:
        try:
            image = move_image(target.runner_service_arn, target.runner_image)
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(f"the runner's image: {error}")
    if failures:
        raise Refused("not everything could be rolled back. " + "; ".join(failures))
    return Serving(aliases=before, runner_image=image)


def _target(given: argparse.Namespace) -> Serving:
    if not given.version and not given.image:
        return Serving.read(given.to, given.environment)
    terraform = Terraform(given.environment, given.terraform)
    terraform.init()
    serving = Serving.now(terraform.outputs())
    aliases = {}
    for service, _, version in (item.partition("=") for item in given.version):
        if service not in serving.aliases or not version.isdecimal():
            raise Refused(f"write --version as SERVICE=NUMBER; functions: {list(serving.aliases)}")
        aliases[service] = replace(serving.aliases[service], version=version)
    if given.image and not serving.runner_service_arn:
        raise Refused("the runner is a function here: --version runner=NUMBER")
    return replace(serving, aliases=aliases, runner_image=given.image)


def main(arguments: Sequence[str]) -> None:
    """Roll back to dist/served.json, or to the versions given by hand."""
    found = parser(__doc__)
    found.add_argument("--to", type=Path, default=SERVED, help="what `plan` wrote")
    found.add_argument("--version", action="append", default=[], help="SERVICE=NUMBER, by hand")
    found.add_argument("--image", help="the runner's image by digest, by hand")
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    given = found.parse_args(arguments)
    if given.dry_run:
        print(f"would roll {given.environment} back to {given.version or given.to}")
        return
    target = _target(given)
    if not target.aliases and not target.runner_image:
        raise Refused(f"{given.environment} served nothing before: there is nothing to go back to")
    before = roll_back(target)
    summarise(
        f"## {given.environment} was rolled back\n\n"
        + target.markdown(given.environment)
        + "\n\nIt was taken from:\n\n"
        + before.markdown(given.environment)
    )


if __name__ == "__main__":
    run(main)
