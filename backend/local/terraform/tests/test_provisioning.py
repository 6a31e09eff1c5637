"""The estate that Terraform creates, applied once for all tests."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.blueprint import Blueprint, Function, FunctionIntegration, HttpIntegration, WebService
from local.compute.processes import BACKEND
from local.conftest import RunningUp, wait_until
from local.default_estate import default_estate
from local.terraform.layer_copy import REPOSITORY, missing
from local.terraform.readback import EstateReader, UnservableError
from local.terraform.tests.conftest import client
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
    # Pages of every port of this machine may call the local gateway.
    local = ("API_GATEWAY_URL", "CORS_ORIGINS", "OTLP_ENDPOINT")
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
    for hourly in ("records", "s3vector"):
        shown["schedules"].pop(hourly, None)
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
