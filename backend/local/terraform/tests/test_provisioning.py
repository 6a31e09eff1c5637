"""The estate that Terraform creates, applied once for all tests."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import Blueprint, Function, FunctionIntegration, HttpIntegration, WebService
from local.compute.processes import BACKEND
from local.conftest import RunningUp, start_up, stop_up, wait_until
from local.default_estate import default_estate
from local.terraform.layer_copy import REPOSITORY, missing
from local.terraform.readback import EstateReader, UnservableError
from local.terraform.tests.exercised_statements import (
    NOT_EXERCISED,
    STATEMENTS,
    Statement,
    load,
)
from services.declared import DECLARED, ROUTED, SERVICES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(missing()), reason=f"Terraform cannot run here: {'; '.join(missing())}"),
]

_OF_A_DEPLOYMENT = (
    "API_GATEWAY_URL",
    "ENABLE_TRACING",
    "LOG_LEVEL",
    "OTLP_ENDPOINT",
    "PORT",
    "SERVICE_VERSION",
)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    folder = tmp_path_factory.mktemp("applied")
    run = ("--run-dir", str(folder / "run"))
    # With each service held to its own role, so every test below shows that the role suffices.
    started = start_up(folder, "--terraform", "--iam", "enforce", *run, seconds=600)
    state = folder / "run" / "var" / "terraform"
    assert (state / "terraform" / "terraform.tfstate").is_file()
    yield started
    assert stop_up(started) == 0
    assert not state.exists()


def client(applied: RunningUp, service: str) -> Any:
    url = applied.variables["AWS_ENDPOINT_URL"]
    return boto3_client(service, endpoint_url=url, region="us-east-1")


def get(applied: RunningUp, path: str, key: str) -> httpx.Response:
    return httpx.get(f"{applied.url}{path}", headers={"x-api-key": key}, timeout=35)


def read(applied: RunningUp) -> EstateReader:
    return EstateReader(applied.variables["AWS_ENDPOINT_URL"])


def test_it_answers_with_the_key_that_terraform_created(applied: RunningUp) -> None:
    secrets = client(applied, "secretsmanager")
    secret = secrets.get_secret_value(SecretId="fin-advisor/dev/client/api-key")["SecretString"]
    assert applied.variables["API_KEY"] == secret
    answer = get(applied, "/api/test", secret)
    assert answer.status_code == 200
    assert answer.json()["healthy"] is True


def test_a_wrong_key_is_refused_with_the_header_that_terraform_added(applied: RunningUp) -> None:
    answer = get(applied, "/api/test", "no-such-key")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert answer.headers["x-request-id"] == answer.headers["x-amzn-requestid"]


def test_the_runner_is_behind_the_gateway_with_its_origin_secret(applied: RunningUp) -> None:
    # It refuses requests without the secret, which is in a stage variable.
    answer = get(applied, "/runner/jobs?state=open", applied.variables["INGEST_API_KEY"])
    assert answer.status_code == 200


def test_terraform_gives_each_service_the_declared_scopes(applied: RunningUp) -> None:
    blueprint = read(applied).read()
    services: list[Function | WebService] = [*blueprint.functions, *blueprint.web_services]
    for each in services:
        scopes = json.loads(each.environment["KEY_SCOPES"])
        assert scopes == DECLARED.key_scopes(each.service), each.service


def test_a_service_knows_the_name_of_each_key_that_terraform_created(applied: RunningUp) -> None:
    refused = get(applied, "/runner/jobs?state=open", applied.variables["API_KEY"])
    assert (refused.status_code, refused.json()["error"]) == (403, "missing_scope")
    answer = get(applied, "/s3vector/documents", applied.variables["INGEST_API_KEY"])
    assert answer.status_code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_service_has_terraforms_variables_with_this_machines_addresses(
    applied: RunningUp,
) -> None:
    [pid] = applied.children("api.handler.handler")
    text = Path(f"/proc/{pid}/environ").read_text()
    found = dict(item.split("=", 1) for item in text.split("\0") if item)
    made = read(applied).read().function_of("api").environment
    assert "execute-api" in made["API_GATEWAY_URL"]
    assert found["API_GATEWAY_URL"] == applied.url
    local = ("API_GATEWAY_URL", "OTLP_ENDPOINT")
    assert {name: found[name] for name in made if name not in local} == {
        name: value for name, value in made.items() if name not in local
    }
    assert found["LOG_LEVEL"] == "DEBUG"  # dev.tfvars says so; without Terraform it is INFO
    assert found["AWS_LAMBDA_FUNCTION_VERSION"] == "1"


def test_quotas_are_the_declared_ones_and_those_of_the_variable_file(applied: RunningUp) -> None:
    text = (REPOSITORY / "terraform/environments/dev.tfvars").read_text()
    written = re.findall(r"(\w+) = \{\s+quota_limit += (\d+)\s+quota_period += \"(\w+)\"", text)
    assert "client" in {name for name, _, _ in written}
    quotas = {
        name: (service.quota.limit, service.quota.period)
        for name, service in SERVICES.items()
        if service.quota
    } | {name: (int(limit), period) for name, limit, period in written}
    api = read(applied).read().api
    names = {key.key_id: key.name for key in api.keys}
    found = {
        (names[key_id], plan.quota_limit, plan.quota_period)
        for plan in api.usage_plans
        for key_id in plan.key_ids
    }
    assert found == {(name, *quota) for name, quota in quotas.items()}


def test_routes_limits_and_sizes_are_those_that_terraform_created(applied: RunningUp) -> None:
    reader = read(applied)
    estate = reader.read()
    api = estate.api
    assert (estate.project, api.stage, api.integration_timeout_seconds) == (
        "fin-advisor",
        "dev",
        29,
    )
    assert (api.rate_per_second, api.burst) == (100, 200)
    proxy = api.resources["/api/{proxy+}"]["ANY"]
    assert proxy.integration == FunctionIntegration("fin-advisor-dev-api")
    assert proxy.api_key_required
    runner = api.resources["/runner/{proxy+}"]["ANY"].integration
    assert isinstance(runner, HttpIntegration)
    assert runner.uri == "${stageVariables.runner_url}/{proxy}"
    assert runner.headers["x-origin-verify"] == "stageVariables.originVerify"
    function = estate.function_of("s3vector")
    assert (function.memory_mb, function.timeout_seconds) == (512, 30)
    assert (function.version, function.alias) == ("1", "live")
    assert json.loads(estate.schedules["api"].event) == {"task": "advance-jobs"}
    # AWS lists them in the order in which Terraform happened to create them.
    assert sorted(reader.left_out) == [
        "the function fin-advisor-dev-records",
        "the function fin-advisor-dev-rotation",
        "the schedule fin-advisor-dev-erase-texts, rate(1 hour)",
        "the schedule fin-advisor-dev-publish-quota, rate(1 hour)",
        "the schedule fin-advisor-dev-seal-records, rate(1 hour)",
    ]


def without_what_differs(estate: Blueprint) -> dict[str, Any]:
    """The blueprint without what differs from one apply to the next, and these:

    The log level: DEBUG of dev.tfvars would fill the terminal. The handler: that of a package, or
    of the sources. Addresses and versions of a deployment. The hourly functions: nothing on one
    machine invokes what Terraform creates of them. Seeds: with Terraform they exist already.
    """
    names = {key.key_id: key.name for key in estate.api.keys}
    shown = dataclasses.asdict(estate)
    api = shown["api"]
    for seed in ("secrets", "parameters", "buckets", "tables"):
        shown.pop(seed)
    shown["functions"] = {f["service"]: f for f in shown["functions"] if f["service"] in ROUTED}
    shown["web_services"] = {each["service"]: each for each in shown["web_services"]}
    shown["schedules"].pop("records", None)
    for each in (*shown["functions"].values(), *shown["web_services"].values()):
        each.pop("handler", None)
        each["environment"]["KEY_SCOPES"] = json.loads(each["environment"]["KEY_SCOPES"])
        for name in _OF_A_DEPLOYMENT:
            each["environment"].pop(name, None)
    api.pop("api_id")
    api["keys"] = {(key["name"], key["enabled"]) for key in api["keys"]}
    api["usage_plans"] = {
        tuple(names[key_id] for key_id in plan["key_ids"]): {
            name: plan[name] for name in ("quota_limit", "quota_period", "rate_per_second", "burst")
        }
        for plan in api["usage_plans"]
    }
    api["stage_variables"] = set(api["stage_variables"])
    return shown


def test_the_default_estate_is_the_one_that_terraform_creates(applied: RunningUp) -> None:
    made = read(applied).read()
    default = default_estate(
        keys={key.name: key.value for key in made.api.keys},
        origin_secret="o",
        cors_origins=made.api.cors_origins,
    )
    assert without_what_differs(default) == without_what_differs(made)


def test_a_change_in_aws_is_in_the_next_blueprint(applied: RunningUp) -> None:
    gateway, functions = client(applied, "apigateway"), client(applied, "lambda")
    before = read(applied).read()
    [plan] = [plan for plan in before.api.usage_plans if plan.name.endswith("-runner")]
    gateway.update_usage_plan(
        usagePlanId=plan.plan_id,
        patchOperations=[{"op": "replace", "path": "/quota/limit", "value": "7"}],
    )
    name = before.function_of("chat").name
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    after = read(applied).read()
    assert [p.quota_limit for p in after.api.usage_plans if p.name == plan.name] == [7]
    assert after.function_of("chat").reserved_concurrency == 3
    gateway.update_usage_plan(
        usagePlanId=plan.plan_id,
        patchOperations=[{"op": "replace", "path": "/quota/limit", "value": str(plan.quota_limit)}],
    )
    functions.delete_function_concurrency(FunctionName=name)


def test_an_unsupported_route_is_refused(applied: RunningUp) -> None:
    gateway = client(applied, "apigateway")
    [api] = gateway.get_rest_apis()["items"]
    resources = gateway.get_resources(restApiId=api["id"], limit=500)["items"]
    [root] = [item["id"] for item in resources if item["path"] == "/"]
    made = gateway.create_resource(restApiId=api["id"], parentId=root, pathPart="elsewhere")
    place = {"restApiId": api["id"], "resourceId": made["id"], "httpMethod": "GET"}
    gateway.put_method(**place, authorizationType="NONE", apiKeyRequired=True)
    gateway.put_integration(
        **place, type="HTTP_PROXY", integrationHttpMethod="GET", uri="https://example.com/"
    )
    with pytest.raises(
        UnservableError, match=r"/elsewhere: HTTP_PROXY https://example\.com/ is not supported"
    ):
        read(applied).read()
    gateway.delete_resource(restApiId=api["id"], resourceId=made["id"])


class RolePolicy:
    """The policy of a service's role that has a statement."""

    def __init__(self, applied: RunningUp, service: str, sid: str) -> None:
        self.iam = client(applied, "iam")
        kind = "apprunner" if service == "runner" else "lambda"
        self.role = f"fin-advisor-dev-{kind}-{service}"
        for one in self.iam.list_attached_role_policies(RoleName=self.role)["AttachedPolicies"]:
            self.arn = one["PolicyArn"]
            self.version = self.iam.get_policy(PolicyArn=self.arn)["Policy"]["DefaultVersionId"]
            self.statements = self.iam.get_policy_version(
                PolicyArn=self.arn, VersionId=self.version
            )["PolicyVersion"]["Document"]["Statement"]
            if sid in {each["Sid"] for each in self.statements}:
                return
        raise LookupError(f"no policy of {self.role} has the statement {sid}")

    @contextmanager
    def without(self, sid: str) -> Iterator[None]:
        """Remove a statement for as long as the block lasts."""
        kept = [each for each in self.statements if each["Sid"] != sid]
        nothing = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::none/*"}
        document = {"Version": "2012-10-17", "Statement": kept or [nothing]}
        made = self.iam.create_policy_version(
            PolicyArn=self.arn, PolicyDocument=json.dumps(document), SetAsDefault=True
        )["PolicyVersion"]["VersionId"]
        try:
            yield
        finally:
            self.iam.set_default_policy_version(PolicyArn=self.arn, VersionId=self.version)
            self.iam.delete_policy_version(PolicyArn=self.arn, VersionId=made)


def restart(applied: RunningUp, service: str) -> None:
    """End the processes of a service. A function's next one starts with the next request."""
    program = "runner.server" if service == "runner" else f"{service}.handler.handler"
    ended = applied.children(program)
    for pid in ended:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not ended & applied.children(program), seconds=30)


@pytest.fixture(scope="module")
def loaded(applied: RunningUp) -> RunningUp:
    assert wait_until(lambda: load(applied), seconds=120)
    return applied


@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
def test_a_service_fails_without_a_statement_that_it_needs(
    loaded: RunningUp, statement: Statement
) -> None:
    policy = RolePolicy(loaded, statement.service, statement.sid)
    assert wait_until(lambda: statement.works(loaded), seconds=60)
    with policy.without(statement.sid):
        if statement.restart:
            restart(loaded, statement.service)
        assert wait_until(lambda: not statement.works(loaded), seconds=60)
        refused = f"IAM: {policy.role} lacks {statement.action}"
        assert wait_until(lambda: refused in loaded.output.read_text(), seconds=60)
    if statement.restart:
        restart(loaded, statement.service)
    assert wait_until(lambda: statement.works(loaded), seconds=90)


def test_every_other_statement_is_listed_with_its_reason(applied: RunningUp) -> None:
    found = set()
    for service in ROUTED:
        policies = RolePolicy(applied, service, "ReadOwnKey")
        attached = policies.iam.list_attached_role_policies(RoleName=policies.role)
        for one in attached["AttachedPolicies"]:
            arn = one["PolicyArn"]
            version = policies.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = policies.iam.get_policy_version(PolicyArn=arn, VersionId=version)
            statements = document["PolicyVersion"]["Document"]["Statement"]
            found |= {(service, statement["Sid"]) for statement in statements}
    exercised = {(each.service, each.sid) for each in STATEMENTS}
    assert exercised <= found
    assert {sid for _, sid in found - exercised} == set(NOT_EXERCISED)


def test_a_signal_during_the_apply_ends_terraform_and_its_provider(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with (tmp_path / "output.txt").open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.up", "--terraform", "--port", "0", "--run-dir", run_dir],
            env={**os.environ, "PYTHONPATH": str(BACKEND)},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    log = run_dir / "logs" / "terraform.log"
    try:
        applying = '"apply_start"'
        assert wait_until(lambda: log.exists() and applying in log.read_text(), seconds=120)
        below = descendants(process.pid)
        assert len(below) >= 2
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    assert not below & {pid for pid, _ in processes()}
    assert not (run_dir / "var" / "terraform").exists()


def processes() -> list[tuple[int, int]]:
    """The id of each process and of its parent."""
    found = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 - found on PATH
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = (line.split() for line in found.splitlines())
    return [(int(pid), int(parent)) for pid, parent in rows]


def descendants(pid: int) -> set[int]:
    found, parents = set[int](), {pid}
    while parents:
        parents = {child for child, parent in processes() if parent in parents}
        found |= parents
    return found
