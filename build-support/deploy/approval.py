"""Checks that somebody approved this release before it is deployed to prod."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.github import Github
from deploy.program import Refused, parser, run, set_outputs, summarise

# Deploys to these environments need an approval.
GUARDED: Final = ("prod",)

APPROVER: Final = "DEPLOY_APPROVED_BY"
RELEASE: Final = "DEPLOY_APPROVED_RELEASE"


@dataclass(frozen=True)
class Approval:
    """Who approved which release."""

    by: str
    release: str

    @classmethod
    def required(cls, environment: str, release: str, variables: Mapping[str, str]) -> None:
        """Refuse a deploy to a guarded environment unless the variables name its release.

        The workflow sets the variables from GitHub's record of the approval. An operator who
        deploys without GitHub sets them by hand.

        Raises:
            Refused: A variable is missing, or names another release.
        """
        if environment not in GUARDED:
            return
        missing = [name for name in (APPROVER, RELEASE) if not variables.get(name, "").strip()]
        if missing:
            raise Refused(f"{environment} needs an approval: {' and '.join(missing)} not set")
        if variables[RELEASE] != release:
            raise Refused(
                f"{variables[APPROVER]} approved {variables[RELEASE]} for {environment}, "
                f"but the plan is of {release}"
            )


def recorded(github: Github, run_id: str, environment: str) -> str:
    """Return who approved a run for an environment, according to GitHub.

    Raises:
        Refused: The environment requires no reviewers, or nobody approved the run.
    """
    kinds = [rule["type"] for rule in github.environment(environment).get("protection_rules", [])]
    if "required_reviewers" not in kinds:
        raise Refused(
            f"GitHub's environment {environment} has no required reviewers: add them under "
            f"Settings, Environments, {environment}"
        )
    for review in github.approvals(run_id):
        names = [item["name"] for item in review.get("environments", [])]
        if review.get("state") == "approved" and environment in names:
            return str(review["user"]["login"])
    raise Refused(f"nobody approved this run for {environment}")


def main(arguments: Sequence[str]) -> None:
    """Ask GitHub who approved this run, and output the variables that `apply` requires."""
    cli = parser(__doc__)
    cli.add_argument("--release", required=True)
    args = cli.parse_args(arguments)
    if args.environment not in GUARDED:
        print(f"{args.environment} needs no approval")
        return
    if args.dry_run:
        print(f"would ask GitHub who approved {args.release} for {args.environment}")
        return
    run_id = os.environ.get("GITHUB_RUN_ID", "")
    by = recorded(Github.of_environment(), run_id, args.environment)
    set_outputs({"by": by, "release": args.release})
    summarise(f"{by} approved {args.release} for {args.environment}.")


if __name__ == "__main__":
    run(main)
