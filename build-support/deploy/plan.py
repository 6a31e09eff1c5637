"""Plans the release in dist/ for an environment and saves the plan, unless it would lose data.

The plan moves no traffic: it publishes new versions while the aliases keep serving the old ones.
What serves at that moment is saved for a rollback.
"""

import argparse
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.manifest import NAME, Manifest, sha256
from deploy.plan_summary import PlanSummary
from deploy.program import REPOSITORY, Refused, parser, read_json, run, summarise, write_json
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import SERVED, Serving

FILE: Final = REPOSITORY / "dist" / "saved.tfplan"


def discard(file: Path) -> None:
    """Delete a saved plan, which contains API keys in plain text, and its label."""
    for path in (file, file.with_suffix(".json")):
        path.unlink(missing_ok=True)


def label_of(file: Path, environment: str) -> Any:
    """Return the label of a saved plan.

    Raises:
        Refused: It is a plan of another environment.
    """
    label = read_json(file.with_suffix(".json"))
    if label["environment"] != environment:
        raise Refused(f"{file} is a plan of {label['environment']}, not {environment}")
    return label


def origin(folder: Path, manifest: Manifest, terraform: Terraform) -> dict[str, str]:
    """Return what a plan is made of; `saved_plan` compares it before the plan is applied."""
    return {
        "release": manifest.release,
        "commit": manifest.commit,
        "manifest": sha256(folder / NAME),
        "terraform": terraform.version(),
    }


def plan(
    terraform: Terraform,
    serving: Serving,
    file: Path,
    *,
    release: str,
    title: str,
    image: str | None = None,
    allowed: Sequence[str] = (),
    contract: bool = False,
    options: Sequence[str] = (),
    guarded: bool = True,
    quiet: bool = False,
) -> PlanSummary:
    """Save a plan that moves no traffic, and print its summary.

    Args:
        terraform: The environment to plan.
        serving: What the environment serves and keeps serving.
        file: The file of the saved plan.
        release: The release to plan.
        title: Heading of the summary.
        image: The runner's image, used if none is served yet.
        allowed: Addresses of protected resources that may be replaced or destroyed.
        contract: Whether the plan may take away routes and rights.
        options: Further options of `terraform plan`.
        guarded: Whether to refuse a plan that loses protected resources, or takes something away
            from the versions that serve. False if nobody will apply the plan.
        quiet: Whether to leave out what Terraform prints, which has values.

    Raises:
        Refused: A protected resource would be lost, something would be taken away too early, or an
            address in `allowed` is not in the plan.
    """
    variables: dict[str, Any] = {}
    if versions := serving.live_versions():
        variables["live_versions"] = versions
    # Terraform keeps the image that is served; `promote` changes it later, like the versions.
    if serving.runner_image or image:
        variables["runner_image"] = serving.runner_image or image
    terraform.plan(file, release, variables, options, quiet=quiet)
    summary = PlanSummary.of(terraform.read_plan(file))
    summarise(summary.markdown(title))
    if guarded and (forbidden := summary.forbidden(allowed)):
        raise Refused(
            "\n".join(
                [
                    *forbidden,
                    "To allow this, name the address: on GitHub, run the workflow Deploy for the "
                    "release with the input `allow_replace`; by hand, use --allow.",
                ]
            )
        )
    if guarded:
        _check_what_is_taken_away(summary, serving, contract=contract)
    if unused := summary.unused(allowed):
        raise Refused(f"allowed to be replaced, but not in the plan: {', '.join(unused)}")
    return summary


def _check_what_is_taken_away(summary: PlanSummary, serving: Serving, *, contract: bool) -> None:
    if summary.taken_away and not contract:
        raise Refused(
            "\n".join(
                [
                    *summary.taken_away,
                    "The versions that serve may still need this. First release the code that no "
                    "longer does; when it serves, deploy the removal: on GitHub, run the workflow "
                    "Deploy for the release with the input `contract`; by hand, use --contract.",
                ]
            )
        )
    if contract and (behind := [*serving.staged(), *summary.changes_code]):
        raise Refused(
            f"--contract comes after the promotion, but {', '.join(behind)} would not serve the "
            "newest code yet: deploy and promote that first"
        )


def look(
    terraform: Terraform,
    outputs: Mapping[str, Any],
    *,
    release: str,
    title: str,
    options: Sequence[str],
    quiet: bool = False,
) -> PlanSummary:
    """Print the summary of a plan that nobody applies, and keep no plan.

    A role that only reads may not write the lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        return plan(
            terraform,
            Serving.now(outputs),
            Path(folder) / "look.tfplan",
            release=release,
            title=title,
            options=["-lock=false", *options],
            guarded=False,
            quiet=quiet,
        )


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__)
    cli.add_argument("--image", default="", help="the runner's image, for a first deploy")
    cli.add_argument(
        "--allow",
        default="",
        help="addresses that may be replaced or destroyed, separated by commas or line breaks",
    )
    cli.add_argument(
        "--contract",
        nargs="?",
        const="true",
        default="false",
        choices=("true", "false"),
        help="allow taking away routes and rights that the versions that serve no longer need",
    )
    cli.add_argument(
        "--folder", type=Path, default=REPOSITORY / "dist", help="folder of the release"
    )
    cli.add_argument("--served", type=Path, default=SERVED, help="file to save what serves to")
    cli.add_argument("--output", type=Path, default=FILE)
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    cli.add_argument("--option", action="append", default=[], help="for terraform plan")
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Save the plan, its label in dist/saved.json, and what serves in dist/served.json."""
    args = _arguments(arguments)
    allowed = [address for address in re.split(r"[\s,]+", args.allow) if address]
    if args.dry_run:
        print(f"would plan {args.environment}, allowing {allowed or 'no replacement'}")
        return
    # A plan of an earlier run must not be applied instead of this one.
    discard(args.output)
    manifest = Manifest.read(args.folder / NAME)
    manifest.verify(args.folder)
    terraform = Terraform(args.environment, args.terraform)
    terraform.init()
    serving = Serving.now(terraform.outputs())
    serving.write(args.served, args.environment)
    for line in serving.unfinished():
        # Terraform removes the share, because its configuration has none.
        print(f"::warning::{line}; this deploy takes it back")
    summarise(serving.markdown(args.environment))
    args.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        plan(
            terraform,
            serving,
            args.output,
            release=manifest.release,
            title=f"Plan of {args.environment} for {manifest.release}",
            image=args.image or None,
            allowed=allowed,
            contract=args.contract == "true",
            options=args.option,
        )
    except BaseException:
        discard(args.output)
        raise
    write_json(
        args.output.with_suffix(".json"),
        {
            "environment": args.environment,
            **origin(args.folder, manifest, terraform),
            "state": terraform.state_id(),
            "served": serving.document(),
            "allowed": allowed,
        },
    )


if __name__ == "__main__":
    run(main)
