"""Reports in GitHub issues when an environment drifts from its release or needs another model.

`locate` outputs the release that an environment runs. `report` plans the packages of that release,
opens or updates the environment's issue if the plan has changes, and closes it if it has none. It
does the same in a second issue for Bedrock models that are legacy or near their end of life.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy import model_lifecycle
from deploy.github import Github
from deploy.plan import look
from deploy.plan_summary import PlanSummary
from deploy.program import Refused, parser, run, set_outputs
from deploy.terraform import FOLDER, Terraform


def deployed(terraform: Terraform) -> str:
    """Return the release of an environment's last apply."""
    release = terraform.outputs().get("release")
    if not release or not re.fullmatch(r"v\d+\.\d+\.\d+|[0-9a-f]{40}", str(release)):
        raise Refused("the state names no release: deploy one first")
    return str(release)


def report(github: Github, environment: str, summary: PlanSummary) -> str:
    """Open, update or close the issue about drift, and return what was done."""
    title = f"{environment} has drifted from its release"
    body = (
        summary.markdown(title)
        + "\n\nSomebody changed this by hand, or a deploy stopped half way. Deploy the release "
        "again to undo the change, or add the change to `terraform/`."
    )
    return (
        _update_issue(
            github,
            f"drift:{environment}",
            title,
            body if summary.changes else None,
            f"{environment} matches its release again.",
        )
        or "no drift"
    )


def report_models(github: Github, environment: str, findings: Sequence[str]) -> str:
    """Open, update or close the issue about legacy models, and return what was done."""
    title = f"{environment} uses a model that is legacy or near its end of life"
    body = "\n".join([*(f"* {finding}" for finding in findings), "", _MODEL_ADVICE])
    done = _update_issue(
        github,
        f"models:{environment}",
        title,
        body if findings else None,
        f"{environment} uses active models only.",
    )
    return done or "all models are active"


_MODEL_ADVICE: Final = (
    "Another model may refuse parameters that this one takes and write in another style: try it "
    "in dev first. Another embedding model needs all documents to be stored again."
)


def _update_issue(
    github: Github, label: str, title: str, body: str | None, closing_comment: str
) -> str | None:
    """Write `body` to the open issue with `label`; None closes it. Return what was done."""
    issue = github.open_issue(label)
    if body is None:
        if issue is None:
            return None
        github.comment(issue["number"], closing_comment)
        github.update_issue(issue["number"], state="closed")
        return f"closed issue {issue['number']}"
    if issue is None:
        return f"opened issue {github.create_issue(title, body, label)['number']}"
    if issue.get("body") != body:
        github.update_issue(issue["number"], body=body)
        return f"updated issue {issue['number']}"
    return f"issue {issue['number']} is up to date"


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__)
    cli.add_argument("action", choices=("locate", "report"))
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    cli.add_argument("--option", action="append", default=[], help="for terraform plan")
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Run one of the two actions."""
    args = _arguments(arguments)
    if args.dry_run:
        print(f"would {args.action} for {args.environment}")
        return
    terraform = Terraform(args.environment, args.terraform)
    terraform.init()
    if args.action == "locate":
        set_outputs({"release": deployed(terraform)})
        return
    github = Github.of_environment()
    outputs = terraform.outputs()
    summary = look(
        terraform,
        outputs,
        release=str(outputs.get("release")),
        title=f"Drift of {args.environment}",
        options=args.option,
    )
    print(report(github, args.environment, summary))
    models = model_lifecycle.findings(outputs.get("foundation_models", {}))
    print(report_models(github, args.environment, models))


if __name__ == "__main__":
    run(main)
