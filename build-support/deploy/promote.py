"""Moves traffic to the newest versions, which `smoke --staged` has tested, and to an image.

If Terraform's `canary_percent` is set, functions get that share of it first (`canary`).
Then it records what serves, and deletes old versions of the functions.
"""

from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.canary import Canary, Trial
from deploy.program import parser, run, summarise
from deploy.serving import remember
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import Serving, callers_last, move_image
from deploy.versions import prune


def _prune(before: Serving, after: Serving) -> None:
    for service, alias in after.aliases.items():
        served = [each.aliases[service].version for each in (before, after)]
        try:
            if deleted := prune(alias.function, served):
                print(f"{service}: deleted the old versions {', '.join(deleted)}")
        except (BotoCoreError, ClientError) as error:
            # Traffic has moved and works. The next promotion tries again.
            print(f"::warning::old versions of {service} could not be deleted: {error}")


def main(arguments: Sequence[str]) -> None:
    """Move every `live` alias to the version published last, and the runner to an image."""
    cli = parser(__doc__)
    cli.add_argument("--image", default="", help="the runner's image, by digest")
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would move traffic of {args.environment} to the newest versions")
        return
    outputs = Terraform(args.environment, args.terraform).outputs()
    serving = Serving.now(outputs)
    staged = serving.staged()
    if canary := Canary.of(outputs, args.environment):
        canary.run(
            Trial(service, serving.aliases[service], alias.version)
            for service, alias in staged.items()
        )
    image = args.image if serving.runner_service_arn else ""
    for service in callers_last([*staged, "runner"]):
        if service in staged:
            staged[service].move(staged[service].version)
        elif image and serving.runner_service_arn and image != serving.runner_image:
            move_image(serving.runner_service_arn, image)
    after = Serving.now(outputs)
    remember(after)
    summarise(after.markdown(args.environment))
    _prune(serving, after)


if __name__ == "__main__":
    run(main)
