"""In one account for all environments: what an environment's roles may do in another one."""

import re

import pytest

from local.aws.iam.checks import Check
from local.aws.iam.policies import Policies
from local.terraform.layer_copy import REPOSITORY
from tests.environment_requests import DNS_RECORDS, requests
from tests.harness import missing
from tests.rendered_policies import RenderedPolicies

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

ENVIRONMENTS = ("dev", "test", "prod")
DEVELOPERS = ("anna", "bob")
_HEADER = ["request", "deploy", "drift", "plan", "services"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> RenderedPolicies:
    return RenderedPolicies(
        tmp_path_factory.mktemp("rendered"),
        dns_records=DNS_RECORDS,
        developer_environments={
            name: [f"arn:aws:iam::123456789012:role/{name}"] for name in DEVELOPERS
        },
    )


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


def _allowed(policies: Policies, own: str, target: str) -> set[str]:
    return {
        request
        for request, checks in requests(own, target).items()
        if all(policies.allows(check) for check in checks)
    }


@pytest.mark.parametrize("developer", DEVELOPERS)
def test_a_developers_role_may_do_in_its_own_environment_what_devs_may_in_dev(
    rendered: RenderedPolicies, developer: str
) -> None:
    roles = {name: rendered.of_role(f"fin-advisor-{name}-deploy") for name in ("dev", developer)}
    dev, own = (_allowed(roles[name], name, name) for name in ("dev", developer))
    # It runs no image and has no DNS record.
    assert dev - own == {"push an image", "change the environment's DNS record"}
    assert own <= dev


@pytest.mark.parametrize("target", [*ENVIRONMENTS, "bob"])
def test_a_developers_roles_reach_no_other_environment(
    rendered: RenderedPolicies, target: str
) -> None:
    of_everybody = {row for row, cells in _documented().items() if cells["deploy"] == "every"}
    deploy = _allowed(rendered.of_role("fin-advisor-anna-deploy"), "anna", target)
    assert deploy == of_everybody - {"push an image"}
    services = rendered.alone("fin-advisor-anna-boundary")
    assert _allowed(services, "anna", target) == set()


@pytest.mark.parametrize("own", [*ENVIRONMENTS, "bob"])
def test_no_other_role_reaches_a_developers_environment(
    rendered: RenderedPolicies, own: str
) -> None:
    documented = _documented()
    columns = {
        "deploy": rendered.of_role(f"fin-advisor-{own}-deploy"),
        "services": rendered.alone(f"fin-advisor-{own}-boundary"),
    }
    if own in ENVIRONMENTS:
        columns["drift"] = rendered.of_role(f"fin-advisor-{own}-drift")
        columns["plan"] = rendered.of_role("fin-advisor-plan")
    for column, policies in columns.items():
        of_everybody = {row for row, cells in documented.items() if cells[column] == "every"}
        missing = {"push an image"} if own not in ENVIRONMENTS else set()
        assert _allowed(policies, own, "anna") == of_everybody - missing


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, *DEVELOPERS])
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
    for other in {*ENVIRONMENTS, *DEVELOPERS} - {environment}:
        allowed = [
            f"{request}: {check.action} on {check.resource}"
            for request, checks in requests(environment, other).items()
            for check in checks
            if _SEPARATED_BY_TAG.match(check.action) and policies.allows(check)
        ]
        assert allowed == []


_SEPARATED_BY_TAG = re.compile("(apigateway|wafv2|route53):")


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, *DEVELOPERS])
def test_the_boundary_denies_what_has_the_tag_of_another_environment(
    rendered: RenderedPolicies, environment: str
) -> None:
    boundary = rendered.alone(f"fin-advisor-{environment}-deploy-boundary")
    function = "arn:aws:lambda:us-east-1:123456789012:function:any"
    tag = "aws:ResourceTag/Environment"
    for target in (*ENVIRONMENTS, *DEVELOPERS):
        check = Check("lambda:DeleteFunction", function, {tag: target})
        assert boundary.allows(check) == (target == environment)


def test_without_dns_records_no_role_may_change_a_zone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rendered = RenderedPolicies(
        tmp_path_factory.mktemp("without"), environments=["prod"], plan_state_environments=[]
    )
    assert not [name for name, policy in rendered.documents.items() if "route53" in policy]
