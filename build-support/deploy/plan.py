"""Plans one environment for the release in dist/, saves the plan, and refuses a dangerous one.

The plan leaves traffic where it is: new versions are published beside the ones that serve. What
serves is written down first: where a rollback goes to.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from deploy.manifest import NAME, Manifest
from deploy.plan_summary import PlanSummary
from deploy.program import REPOSITORY, Refused, parser, run, summarise, write_json
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import SERVED, Serving

FILE: Final = REPOSITORY / "dist" / "saved.tfplan"


def discard(file: Path) -> None:
    """Delete a saved plan, which holds keys in plain text, and what says whose it is."""
    for path in (file, file.with_suffix(".json")):
        path.unlink(missing_ok=True)


def plan(
    terraform: Terraform,
    serving: Serving,
    file: Path,
    *,
    release: str,
    title: str,
    image: str | None = None,
    allowed: Sequence[str] = (),
    options: Sequence[str] = (),
    guarded: bool = True,
) -> PlanSummary:
    """Save a plan that keeps serving what is served, and show its summary.

    A plan that is `guarded` refuses; one that nobody will apply need not be.

    Raises:
        Refused: It would replace or destroy what is not to be lost and was not named in `allowed`.
    """
    variables: dict[str, Any] = {}
    if versions := serving.live_versions():
        variables["live_versions"] = versions
    # The served image where there is one: like the versions, a new one is not served by Terraform.
    if serving.runner_image or image:
        variables["runner_image"] = serving.runner_image or image
    terraform.plan(file, release, variables, options)
    summary = PlanSummary.of(terraform.read_plan(file))
    summarise(summary.markdown(title))
    if guarded and (forbidden := summary.forbidden(allowed)):
        raise Refused(
            "\n".join(
                [
                    *forbidden,
                    "To go ahead, name the address: on GitHub, run the workflow Deploy for the "
                    "release, with the input `allow_replace`; by hand, with --allow.",
                ]
            )
        )
    if slips := summary.unknown(allowed):
        raise Refused(f"allowed by name, but the plan does not touch it: {', '.join(slips)}")
    return summary


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    found = parser(__doc__)
    found.add_argument("--image", default="", help="the runner's image, for a first deploy")
    found.add_argument(
        "--allow", default="", help="addresses that may be replaced or destroyed, by comma or line"
    )
    found.add_argument("--folder", type=Path, default=REPOSITORY / "dist", help="the release")
    found.add_argument("--served", type=Path, default=SERVED, help="where to write what serves")
    found.add_argument("--output", type=Path, default=FILE)
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    found.add_argument("--option", action="append", default=[], help="for terraform plan")
    return found.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Write the plan, dist/saved.json with what it is the plan of, and dist/served.json."""
    given = _arguments(arguments)
    allowed = [address for address in re.split(r"[\s,]+", given.allow) if address]
    if given.dry_run:
        print(f"would plan {given.environment}, allowing {allowed or 'no replacement'}")
        return
    # One that an earlier run left is not to be applied for this one.
    discard(given.output)
    manifest = Manifest.read(given.folder / NAME)
    manifest.verify(given.folder)
    terraform = Terraform(given.environment, given.terraform)
    terraform.init()
    serving = Serving.now(terraform.outputs())
    serving.write(given.served, given.environment)
    summarise(serving.markdown(given.environment))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        plan(
            terraform,
            serving,
            given.output,
            release=manifest.release,
            title=f"Plan of {given.environment} for {manifest.release}",
            image=given.image or None,
            allowed=allowed,
            options=given.option,
        )
    except BaseException:
        discard(given.output)
        raise
    write_json(
        given.output.with_suffix(".json"),
        {"environment": given.environment, "release": manifest.release, "allowed": allowed},
    )


if __name__ == "__main__":
    run(main)
