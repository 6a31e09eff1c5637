"""Sets up a GitHub repository for the pipeline: its environments, variables and rulesets.

    terraform -chdir=bootstrap output -json > bootstrap.json
    export GH_TOKEN=$(gh auth token)
    ./pants run build-support/deploy:github_settings -- --repository OWNER/NAME \\
      --outputs bootstrap.json --region us-east-1 --reviewer TEAM --alarm-email you@your.domain

It changes what differs and says so; a second run changes nothing. Other variables and rulesets stay
as they are. The token needs the right to administer the repository.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from deploy.github import Github
from deploy.program import Refused, parser, read_json, run

_MAIN: Final = {"type": "branch", "name": "main"}
_RELEASES: Final = {"type": "tag", "name": "v*"}
REFS: Final[Mapping[str, Sequence[Mapping[str, str]]]] = {
    "dev": (_MAIN, _RELEASES),
    "test": (_RELEASES,),
    "prod": (_RELEASES,),
    "prod-plan": (_MAIN, _RELEASES),
    "plan": ({"type": "branch", "name": "refs/pull/*/merge"},),
    "dev-drift": (_MAIN,),
    "test-drift": (_MAIN,),
    "prod-drift": (_MAIN,),
}
"""The environments, and the branches and tags that may use each. A role trusts an environment's
name, whatever the branch: only this keeps other branches from the role."""

_REVIEWED: Final = "prod"
_REQUIRED_CHECK: Final = "CI passed"


class Change(NamedTuple):
    """A request to GitHub that makes one setting what it should be."""

    what: str
    method: str
    path: str
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Settings:
    """What the repository should have.

    Attributes:
        reviewers: Who approves a deploy to prod, each as GitHub's `type` and `id`.
        variables: The variables of each environment; those of the repository under "".
    """

    reviewers: Sequence[Mapping[str, Any]]
    variables: Mapping[str, Mapping[str, str]]


def changes(github: Github, wanted: Settings) -> Iterator[Change]:
    """Yield what differs from the settings, in the order in which it can be changed."""
    for name in REFS:
        yield from _environment(github, name, wanted)
    for name, variables in wanted.variables.items():
        yield from _variables(github, name, variables)
    yield from _rulesets(github, wanted.reviewers)


def _environment(github: Github, name: str, wanted: Settings) -> Iterator[Change]:
    path = f"environments/{name}"
    is_reviewed = name == _REVIEWED
    found = github.find(path) or {}
    rules = {rule["type"]: rule for rule in found.get("protection_rules", ())}
    reviews = rules.get("required_reviewers", {})
    reviewers = [
        {"type": one["type"], "id": one["reviewer"]["id"]} for one in reviews.get("reviewers", ())
    ]
    restricts = {"protected_branches": False, "custom_branch_policies": True}
    if (
        found.get("deployment_branch_policy") != restricts
        or reviewers != (list(wanted.reviewers) if is_reviewed else [])
        or bool(reviews.get("prevent_self_review")) != is_reviewed
    ):
        content = {
            "deployment_branch_policy": restricts,
            "reviewers": list(wanted.reviewers) if is_reviewed else None,
            "prevent_self_review": is_reviewed,
        }
        yield Change(f"protect the environment {name}", "PUT", path, content)
    yield from _refs(github, name)


def _refs(github: Github, name: str) -> Iterator[Change]:
    path = f"environments/{name}/deployment-branch-policies"
    policies = (github.find(path) or {}).get("branch_policies", ())
    found = {(one.get("type", "branch"), one["name"]): one["id"] for one in policies}
    for ref in REFS[name]:
        if found.pop((ref["type"], ref["name"]), None) is None:
            yield Change(f"let {ref['type']} {ref['name']} use {name}", "POST", path, ref)
    for (kind, pattern), identifier in found.items():
        yield Change(f"keep {kind} {pattern} from {name}", "DELETE", f"{path}/{identifier}")


def _variables(github: Github, environment: str, wanted: Mapping[str, str]) -> Iterator[Change]:
    path = f"environments/{environment}/variables" if environment else "actions/variables"
    where = f"the environment {environment}" if environment else "the repository"
    listed = (github.find(path) or {}).get("variables", ())
    found = {one["name"]: one["value"] for one in listed}
    for name, value in wanted.items():
        content = {"name": name, "value": value}
        if name not in found:
            yield Change(f"add {name} to {where}", "POST", path, content)
        elif found[name] != value:
            yield Change(f"change {name} of {where}", "PATCH", f"{path}/{name}", content)


def _rulesets(github: Github, reviewers: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    listed = {one["name"]: one["id"] for one in github.find_list("rulesets")}
    for ruleset in (_main_ruleset(), _release_ruleset(reviewers)):
        name = ruleset["name"]
        if name not in listed:
            yield Change(f"add the ruleset {name!r}", "POST", "rulesets", ruleset)
            continue
        path = f"rulesets/{listed[name]}"
        if not _covers(github.find(path), ruleset):
            yield Change(f"change the ruleset {name!r}", "PUT", path, ruleset)


def _main_ruleset() -> dict[str, Any]:
    review = {
        "required_approving_review_count": 1,
        "require_code_owner_review": True,
        "dismiss_stale_reviews_on_push": True,
        "require_last_push_approval": True,
        "required_review_thread_resolution": True,
    }
    checks = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": _REQUIRED_CHECK}],
    }
    return {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "pull_request", "parameters": review},
            {"type": "required_status_checks", "parameters": checks},
        ],
    }


def _release_ruleset(reviewers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the ruleset by which nobody but the reviewers' teams creates a release's tag."""
    teams = [one["id"] for one in reviewers if one["type"] == "Team"]
    return {
        "name": "releases",
        "target": "tag",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}},
        "bypass_actors": [
            {"actor_id": team, "actor_type": "Team", "bypass_mode": "always"} for team in teams
        ],
        "rules": [{"type": "creation"}, {"type": "deletion"}, {"type": "update"}],
    }


def _covers(found: Any, wanted: Any) -> bool:
    """Return whether GitHub's answer has every value that is wanted; it has more fields."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _covers(found.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(any(_covers(one, item) for one in found) for item in wanted)
        )
    return bool(found == wanted)


def _outputs(path: Path) -> dict[str, Any]:
    try:
        return {name: output["value"] for name, output in read_json(path).items()}
    except (AttributeError, KeyError, TypeError):
        raise Refused(f"{path} is not what `terraform output -json` prints") from None


def _roles(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the environment, the variable and the ARN of each role of an account."""
    for environment, role in outputs.get("deploy_role_arns", {}).items():
        yield environment, "AWS_DEPLOY_ROLE_ARN", role
    for environment, role in outputs.get("drift_role_arns", {}).items():
        yield f"{environment}-drift", "AWS_DRIFT_ROLE_ARN", role
    for output, environment in (("plan_role_arn", "plan"), ("prod_plan_role_arn", "prod-plan")):
        if role := outputs.get(output):
            yield environment, "AWS_PLAN_ROLE_ARN", role


def _wanted(options: argparse.Namespace, github: Github) -> Settings:
    variables: dict[str, dict[str, str]] = {
        "": {"ALARM_EMAILS": json.dumps(options.alarm_email)},
    }
    for file in options.outputs:
        outputs = _outputs(file)
        images = outputs.get("ecr_repository_urls", {})
        common = {"AWS_REGION": options.region}
        common |= {"ECR_RUNNER_REPOSITORY": images["runner"]} if "runner" in images else {}
        for environment, name, role in _roles(outputs):
            variables[environment] = {**common, name: role}
    if unknown := sorted(variables.keys() - REFS.keys() - {""}):
        raise Refused(f"bootstrap has roles for unknown environments: {', '.join(unknown)}")
    return Settings([github.reviewer(name) for name in options.reviewer], variables)


def main(arguments: Sequence[str]) -> None:
    """Make the repository's settings what the pipeline needs."""
    cli = parser(__doc__, environment=False)
    cli.formatter_class = argparse.RawDescriptionHelpFormatter
    cli.add_argument("--repository", required=True, metavar="OWNER/NAME")
    cli.add_argument(
        "--outputs",
        action="append",
        required=True,
        type=Path,
        help="bootstrap's outputs as JSON; once for each account",
    )
    cli.add_argument("--region", required=True, help="the region of the environments")
    cli.add_argument(
        "--reviewer",
        action="append",
        required=True,
        metavar="TEAM|USER",
        help="who approves deploys to prod: a team of the organisation or a user; repeatable",
    )
    cli.add_argument(
        "--alarm-email", action="append", required=True, help="who gets alarms; repeatable"
    )
    options = cli.parse_args(arguments)
    if not (token := os.environ.get("GH_TOKEN")):
        raise Refused("GH_TOKEN is not set: export GH_TOKEN=$(gh auth token)")
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    github = Github(options.repository, token, url)
    found = list(changes(github, _wanted(options, github)))
    for change in found:
        print(("would " if options.dry_run else "") + change.what)
        if not options.dry_run:
            github.send(change.method, change.path, change.content)
    if not found:
        print("nothing to change")


if __name__ == "__main__":
    run(main)
