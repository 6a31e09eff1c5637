"""In one account for all environments: what an environment's roles may do in another one."""

import re

import pytest

from local.terraform.layer_copy import REPOSITORY
from tests.environment_requests import DNS_RECORDS, requests
from tests.harness import missing
from tests.iam_policy import Policies
from tests.recording import Check
from tests.rendered_policies import RenderedPolicies

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

ENVIRONMENTS = ("dev", "test", "prod")
_HEADER = ["request", "deploy", "drift", "plan", "services"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> RenderedPolicies:
    return RenderedPolicies(tmp_path_factory.mktemp("rendered"), dns_records=DNS_RECORDS)


def _documented() -> dict[str, dict[str, str]]:
    """Return the table of SECURITY.md: for each request, its cell in each role's column."""
    lines = (REPOSITORY / "SECURITY.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    begin = rows.index(_HEADER) + 2
    table: dict[str, dict[str, str]] = {}
    for line, row in zip(lines[begin:], rows[begin:], strict=True):
        if not line.startswith("|"):
            return table
        table[row[0]] = dict(zip(_HEADER[1:], row[1:], strict=True))
    return table


def _roles(rendered: RenderedPolicies) -> dict[str, dict[str, Policies]]:
    """Return the columns of the table: for each, the policies of its role in each environment."""
    return {
        "deploy": {e: rendered.of_role(f"fin-advisor-{e}-deploy") for e in ENVIRONMENTS},
        "drift": {e: rendered.of_role(f"fin-advisor-{e}-drift") for e in ENVIRONMENTS},
        # There is one; by default it may plan dev.
        "plan": {"dev": rendered.of_role("fin-advisor-plan")},
        "services": {e: rendered.alone(f"fin-advisor-{e}-boundary") for e in ENVIRONMENTS},
    }


def _cell(roles: dict[str, Policies], request: str) -> str:
    """Return `own`, `every` or `none`: the environments in which the role may make a request."""
    cells = set()
    for own, policies in roles.items():
        may = {
            target: all(policies.allows(check) for check in requests(own, target)[request])
            for target in ENVIRONMENTS
        }
        cells.add(_CELLS.get(tuple(may[e] for e in (own, *(set(ENVIRONMENTS) - {own}))), str(may)))
    return " or ".join(sorted(cells))


_CELLS: dict[tuple[bool, ...], str] = {
    (True, False, False): "own",
    (True, True, True): "every",
    (False, False, False): "none",
}


def test_the_table_in_security_md_is_what_the_policies_grant(rendered: RenderedPolicies) -> None:
    columns = _roles(rendered)
    evaluated = {
        request: {column: _cell(roles, request) for column, roles in columns.items()}
        for request in requests("dev", "dev")
    }
    assert _documented() == evaluated


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("part", ["policies", "boundary"])
def test_policies_and_boundary_each_keep_the_deploy_role_in_its_environment(
    rendered: RenderedPolicies, environment: str, part: str
) -> None:
    """Either is enough, so a mistake in one of them opens nothing."""
    role = f"fin-advisor-{environment}-deploy"
    if part == "policies":
        policies = rendered.of_role(role, bounded=False)
    else:
        policies = rendered.alone(f"{role}-boundary")
    for other in set(ENVIRONMENTS) - {environment}:
        allowed = [
            f"{request}: {check.action} on {check.resource}"
            for request, checks in requests(environment, other).items()
            for check in checks
            if _SEPARATED_BY_TAG.match(check.action) and policies.allows(check)
        ]
        assert allowed == []


_SEPARATED_BY_TAG = re.compile("(apigateway|wafv2|route53):")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_boundary_denies_what_has_the_tag_of_another_environment(
    rendered: RenderedPolicies, environment: str
) -> None:
    boundary = rendered.alone(f"fin-advisor-{environment}-deploy-boundary")
    function = "arn:aws:lambda:us-east-1:123456789012:function:any"
    tag = "aws:ResourceTag/Environment"
    for target in ENVIRONMENTS:
        check = Check("lambda:DeleteFunction", function, {tag: target})
        assert boundary.allows(check) == (target == environment)


def test_without_dns_records_no_role_may_change_a_zone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rendered = RenderedPolicies(
        tmp_path_factory.mktemp("without"), environments=["prod"], plan_state_environments=[]
    )
    assert not [name for name, policy in rendered.documents.items() if "route53" in policy]
