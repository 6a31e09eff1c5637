"""Rolls an environment back to what it served before a deploy: aliases first, then the image.

The target is recorded, so that no later apply undoes the rollback.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.program import Refused, parser, run, summarise
from deploy.serving import remember
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import SERVED, Alias, Serving, callers_last, move_image


def roll_back(target: Serving) -> Serving:
    """Record `target`, move aliases and image to it, and return what was served until then.

    A failure does not stop the rollback of the other parts.

    Raises:
        Refused: At least one part could not be moved; the message names each.
    """
    failures = []
    try:
        remember(target)
    except Exception as error:  # noqa: BLE001 - traffic comes first
        failures.append(f"the record {target.parameter}: {error}")
    before: dict[str, Alias] = {}
    for service in reversed(callers_last(target.aliases)):
        alias = target.aliases[service]
        try:
            before[service] = alias.observed()
            if before[service].version != alias.version or before[service].weights:
                alias.move(alias.version)
        except Exception as error:  # noqa: BLE001 - roll back the others first
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


def _target(args: argparse.Namespace) -> Serving:
    if not args.version and not args.image:
        return Serving.read(args.to, args.environment)
    terraform = Terraform(args.environment, args.terraform)
    terraform.init()
    serving = Serving.now(terraform.outputs())
    aliases = dict(serving.aliases)
    for service, _, version in (item.partition("=") for item in args.version):
        if service not in serving.aliases or not version.isdecimal():
            raise Refused(f"write --version as SERVICE=NUMBER; functions: {list(serving.aliases)}")
        aliases[service] = replace(serving.aliases[service], version=version)
    if args.image and not serving.runner_service_arn:
        raise Refused("the runner is a function here: use --version runner=NUMBER")
    return replace(serving, aliases=aliases, runner_image=args.image or serving.runner_image)


def main(arguments: Sequence[str]) -> None:
    """Roll back to dist/served.json, or to the versions on the command line."""
    cli = parser(__doc__)
    cli.add_argument("--to", type=Path, default=SERVED, help="file that `plan` wrote")
    cli.add_argument(
        "--version", action="append", default=[], help="SERVICE=NUMBER, instead of --to"
    )
    cli.add_argument("--image", help="the runner's image, by digest")
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would roll {args.environment} back to {args.version or args.to}")
        return
    target = _target(args)
    if not target.aliases and not target.runner_image:
        raise Refused(f"{args.environment} served nothing before: there is nothing to roll back to")
    before = roll_back(target)
    summarise(
        f"## {args.environment} was rolled back\n\n"
        + target.markdown(args.environment)
        + "\n\nUntil then:\n\n"
        + before.markdown(args.environment)
    )


if __name__ == "__main__":
    run(main)
