"""Plans a pull request for an environment, and writes the plan into one comment of it.

The comment names resources, actions and attributes, and no values. It is updated at each push. The
plan keeps the release that is deployed, so that it shows what the pull request itself changes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.github import Github
from deploy.plan import look
from deploy.plan_summary import PlanSummary
from deploy.program import parser, run
from deploy.terraform import FOLDER, Terraform

# Comments of the workflow's token; anybody may write a comment with the same first line.
_AUTHOR: Final = "github-actions[bot]"


def report(github: Github, number: int, environment: str, summary: PlanSummary) -> str:
    """Write or update the comment, and return what was done."""
    marker = f"<!-- plan of {environment} -->"
    body = "\n\n".join(
        [
            f"{marker}\n{summary.markdown(f'Plan of {environment}')}",
            *(f"**The deploy would be refused.** {line}" for line in summary.forbidden([])),
            # Only the address: the rest of the line names actions and resources of the account.
            *(
                f"**The deploy would be refused without `contract`.** {address} takes a route or "
                "a right from the versions that serve."
                for address in sorted({line.partition(": ")[0] for line in summary.taken_away})
            ),
        ]
    )
    for comment in github.comments(number):
        if comment["user"]["login"] == _AUTHOR and comment["body"].startswith(marker):
            if comment["body"] == body:
                return f"comment {comment['id']} is up to date"
            github.update_comment(comment["id"], body)
            return f"updated comment {comment['id']}"
    github.comment(number, body)
    return "wrote a comment"


def main(arguments: Sequence[str]) -> None:
    """Plan the packages in dist/, without locking the state, and comment."""
    cli = parser(__doc__)
    cli.add_argument("--number", type=int, required=True, help="number of the pull request")
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    cli.add_argument("--option", action="append", default=[], help="for terraform plan")
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would plan {args.environment} and comment on pull request {args.number}")
        return
    github = Github.of_environment()
    terraform = Terraform(args.environment, args.terraform)
    terraform.init()
    outputs = terraform.outputs()
    summary = look(
        terraform,
        outputs,
        release=str(outputs.get("release") or "dev"),
        title=f"Plan of {args.environment}",
        options=args.option,
        quiet=True,
    )
    print(report(github, args.number, args.environment, summary))


if __name__ == "__main__":
    run(main)
