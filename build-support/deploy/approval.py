"""Whether somebody agreed to a deploy, and to this one: production is not touched without."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.github import Github
from deploy.program import Refused, parser, run, set_outputs, summarise

# The environments that somebody has to agree to.
GUARDED: Final = ("prod",)

APPROVER: Final = "DEPLOY_APPROVED_BY"
RELEASE: Final = "DEPLOY_APPROVED_RELEASE"


@dataclass(frozen=True)
class Approval:
    """Who agreed to which release."""

    by: str
    release: str

    @classmethod
    def required(cls, environment: str, release: str, variables: Mapping[str, str]) -> None:
        """Refuse a deploy to a guarded environment whose variables do not name its release.

        The workflow sets the variables from GitHub's own record of the approval; an operator
        without GitHub sets them by hand, and so says it in writing.

        Raises:
            Refused: A variable is missing, or it speaks of another release.
        """
        if environment not in GUARDED:
            return
        missing = [name for name in (APPROVER, RELEASE) if not variables.get(name, "").strip()]
        if missing:
            raise Refused(f"{environment} needs an approval: {' and '.join(missing)} not set")
        if variables[RELEASE] != release:
            raise Refused(
                f"{variables[APPROVER]} approved {variables[RELEASE]} for {environment}, "
                f"and this is {release}"
            )


def recorded(github: Github, run_id: str, environment: str) -> str:
    """Return who approved a run for an environment, by GitHub's record.

    Raises:
        Refused: The environment asks nobody (it lacks its protection), or nobody approved.
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
    """Ask GitHub who approved this run, for the variables that `apply` demands."""
    found = parser(__doc__)
    found.add_argument("--release", required=True)
    given = found.parse_args(arguments)
    if given.environment not in GUARDED:
        print(f"{given.environment} needs no approval")
        return
    if given.dry_run:
        print(f"would ask GitHub who approved {given.release} for {given.environment}")
        return
    run_id = os.environ.get("GITHUB_RUN_ID", "")
    by = recorded(Github.of_environment(), run_id, given.environment)
    set_outputs({"by": by, "release": given.release})
    summarise(f"{by} approved {given.release} for {given.environment}.")


if __name__ == "__main__":
    run(main)
