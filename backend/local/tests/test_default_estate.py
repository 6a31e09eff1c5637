"""The blueprint of the default estate."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import CORS_EXPOSED, CORS_HEADERS
from local.blueprint import (
    STREAM_WRAPPER,
    WRAPPER_VARIABLE,
    FunctionIntegration,
    HttpIntegration,
    MockIntegration,
)
from local.default_estate import default_estate
from local.estate import RunningEstate, StartError, new_blueprint
from local.gateway.matching import match
from local.options import Options
from services.declared import FUNCTIONS, ROUTED
from services.declared import SERVICES as DECLARED


def test_the_names_are_those_of_the_cloud() -> None:
    estate = default_estate(keys={"api": "a", "client": "c"}, origin_secret="o")
    assert {
        function.name: (function.memory_mb, function.timeout_seconds)
        for function in estate.functions
    } == {
        f"fin-advisor-dev-{name}": (
            DECLARED[name].memory_mb,
            120 if DECLARED[name].streams else DECLARED[name].timeout_s,
        )
        for name in (*FUNCTIONS, "records")
    }
    assert estate.schedules.keys() == {"api", "records", "s3vector"}
    assert [service.name for service in estate.web_services] == ["fin-advisor-dev-runner"]
    assert estate.secrets["fin-advisor/dev/api/api-key"] == "a"
    assert estate.secrets["fin-advisor/dev/runner/origin"] == "o"
    assert estate.api.stage == "dev"
    assert estate.api.key_named("client").value == "c"


def test_no_function_sets_what_lambda_reserves() -> None:
    estate = default_estate(keys={}, origin_secret="o")
    for function in estate.functions:
        reserved = {name for name in function.environment if name.startswith("AWS_")}
        assert not reserved - {WRAPPER_VARIABLE}
        assert function.environment["SERVICE_NAME"] == function.service


def test_each_service_is_behind_its_prefix_with_a_key() -> None:
    resources = default_estate(keys={}, origin_secret="o").api.resources
    for service in FUNCTIONS:
        found = match(resources, "POST", f"/{service}/x/y")
        assert found is not None
        assert found.method.integration == FunctionIntegration(f"fin-advisor-dev-{service}")
        assert found.method.api_key_required
    found = match(resources, "GET", "/runner/jobs")
    assert found is not None
    assert isinstance(found.method.integration, HttpIntegration)
    assert match(resources, "GET", "/") is None


def test_preflight_requests_are_answered_for_configured_origins_only() -> None:
    origins = ("https://app.example", "https://b.example")
    configured = default_estate(keys={}, origin_secret="o", cors_origins=origins)
    found = match(configured.api.resources, "OPTIONS", "/api/ask")
    assert found is not None
    assert isinstance(found.method.integration, MockIntegration)
    assert found.method.integration.headers["access-control-allow-origin"] == origins[0]
    assert not found.method.api_key_required
    assert configured.api.cors_origins == origins
    assert configured.function_of("api").environment["CORS_ORIGINS"] == ",".join(origins)
    closed = default_estate(keys={}, origin_secret="o", cors_origins=())
    plain = match(closed.api.resources, "OPTIONS", "/api/ask")
    assert plain is not None
    assert plain.method.api_key_required


def test_web_pages_may_do_what_they_may_in_the_cloud() -> None:
    terraform = (Path(__file__).resolve().parents[3] / "terraform" / "api-gateway.tf").read_text()
    found = dict(re.findall(r'^  (cors_headers|cors_exposed) = "(.*)"$', terraform, re.MULTILINE))
    estate = default_estate(keys={}, origin_secret="o").api
    preflight = match(estate.resources, "OPTIONS", "/api/ingestions")
    assert preflight is not None
    assert isinstance(preflight.method.integration, MockIntegration)
    headers = preflight.method.integration.headers
    assert headers["access-control-allow-headers"] == found["cors_headers"]
    assert headers["access-control-allow-headers"] == ",".join(CORS_HEADERS)
    for refused in estate.refusal_headers.values():
        assert refused["Access-Control-Expose-Headers"] == f"'{found['cors_exposed']}'"
    assert found["cors_exposed"] == ",".join(CORS_EXPOSED)
    inner = match(estate.resources, "OPTIONS", "/chat/messages")
    assert inner is not None
    assert not isinstance(inner.method.integration, MockIntegration)


def test_an_operation_of_the_api_has_a_resource_of_its_own() -> None:
    resources = default_estate(keys={}, origin_secret="o").api.resources
    for method, path in (("POST", "/api/ask"), ("GET", "/api/documents/a")):
        found = match(resources, method, path)
        assert found is not None
        assert "proxy" not in found.resource
        assert found.method.integration == FunctionIntegration("fin-advisor-dev-api")
    for method, path in (("HEAD", "/api/status"), ("GET", "/api/health"), ("PUT", "/api/ask")):
        found = match(resources, method, path)
        assert found is not None
        assert found.resource == "/api/{proxy+}"


def test_a_service_has_the_quota_that_is_declared() -> None:
    estate = default_estate(keys={"s3vector": "s", "client": "c"}, origin_secret="o")
    quotas = {plan.name: (plan.quota_limit, plan.quota_period) for plan in estate.api.usage_plans}
    declared = DECLARED["s3vector"].quota
    assert declared is not None
    assert quotas == {
        "s3vector": (declared.limit, declared.period),
        "client": (10_000, "MONTH"),
    }


def test_api_knows_every_other_service_behind_the_gateway() -> None:
    variables = default_estate(keys={}, origin_secret="o").function_of("api").environment
    assert {"api", *variables["PEER_SERVICES"].split(",")} == set(ROUTED)


def test_streams_have_resources_and_a_runtime_of_their_own() -> None:
    expected = {
        f"/{name}{operation.partition(' ')[2]}": name
        for name, service in DECLARED.items()
        for operation in service.streams
    }
    for streaming in (True, False):
        estate = default_estate(keys={}, origin_secret="o", streaming=streaming)
        found = {
            path: methods["POST"].integration
            for path, methods in estate.api.resources.items()
            if "POST" in methods and getattr(methods["POST"].integration, "streams", False)
        }
        assert found.keys() == (expected.keys() if streaming else set())
        for integration in found.values():
            assert isinstance(integration, FunctionIntegration)
            assert (integration.streams, integration.timeout_seconds) == (True, 120)
        streams = {each.service for each in estate.functions if each.streams}
        assert streams == (set(expected.values()) if streaming else set())


@pytest.mark.parametrize(
    ("variables", "mode"),
    [
        ({"ENABLE_TRACING": "true", "OTLP_ENDPOINT": "http://localhost:4318"}, "sdk"),
        ({"AWS_LAMBDA_EXEC_WRAPPER": STREAM_WRAPPER}, "sdk"),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}, "auto"),
        (
            {"OTLP_ENDPOINT": "udp://localhost:2000", "AWS_LAMBDA_EXEC_WRAPPER": STREAM_WRAPPER},
            "udp",
        ),
        ({"ENABLE_TRACING": "false", "AWS_LAMBDA_EXEC_WRAPPER": STREAM_WRAPPER}, "off"),
    ],
)
def test_the_variables_of_a_function_say_how_it_traces(
    variables: dict[str, str], mode: str
) -> None:
    estate = new_blueprint()
    function = replace(estate.functions[0], environment=variables)
    assert replace(estate, functions=(function,)).tracing == mode


def test_the_layers_wrapper_cannot_run_without_the_layer(tmp_path: Path) -> None:
    estate = new_blueprint()
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}
    functions = tuple(replace(one, environment=variables) for one in estate.functions)
    options = Options(port=0, tracing=None)
    with pytest.raises(StartError, match="name the folder of an unpacked ADOT layer with --layer"):
        RunningEstate(replace(estate, functions=functions), options, tmp_path, print)
