"""Whether an environment is still what its release says, told in one issue an environment.

`locate` says which commit an environment runs. `report` plans that commit's packages, opens or
updates the issue where something has drifted, and closes it where nothing has any more.
"""

import argparse
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.github import Github
from deploy.plan import plan
from deploy.plan_summary import PlanSummary
from deploy.program import Refused, parser, run, set_outputs
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import Serving


def deployed(terraform: Terraform) -> str:
    """Return the release that an environment runs, as its last apply named it."""
    found = terraform.outputs().get("release")
    if not found or not re.fullmatch(r"v\d+\.\d+\.\d+|[0-9a-f]{40}", str(found)):
        raise Refused("the state does not say which release is deployed: deploy one first")
    return str(found)


def report(github: Github, environment: str, summary: PlanSummary) -> str:
    """Open, update or close the environment's issue, and say which it was."""
    label = f"drift:{environment}"
    issue = github.open_issue(label)
    title = f"{environment} has drifted from its release"
    if not summary.changes:
        if issue is None:
            return "no drift"
        github.comment(issue["number"], f"{environment} is what its release says again.")
        github.update_issue(issue["number"], state="closed")
        return f"closed issue {issue['number']}"
    body = (
        summary.markdown(title)
        + "\n\nSomebody changed this by hand, or a deploy stopped half way. Deploying the release "
        "again puts it back; if the change is wanted, put it into `terraform/`."
    )
    if issue is None:
        return f"opened issue {github.create_issue(title, body, label)['number']}"
    if issue.get("body") != body:
        github.update_issue(issue["number"], body=body)
        return f"updated issue {issue['number']}"
    return f"issue {issue['number']} says so already"


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    found = parser(__doc__)
    found.add_argument("action", choices=("locate", "report"))
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    found.add_argument("--option", action="append", default=[], help="for terraform plan")
    return found.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Do one of the two."""
    given = _arguments(arguments)
    if given.dry_run:
        print(f"would {given.action} the drift of {given.environment}")
        return
    terraform = Terraform(given.environment, given.terraform)
    terraform.init()
    if given.action == "locate":
        set_outputs({"release": deployed(terraform)})
        return
    github = Github.of_environment()
    outputs = terraform.outputs()
    with tempfile.TemporaryDirectory() as folder:
        summary = plan(
            terraform,
            Serving.now(outputs),
            Path(folder) / "drift.tfplan",
            release=str(outputs.get("release")),
            title=f"Drift of {given.environment}",
            # The reading role may not write the lock; nothing is applied from this plan.
            options=["-lock=false", *given.option],
            guarded=False,
        )
    print(report(github, given.environment, summary))


if __name__ == "__main__":
    run(main)
