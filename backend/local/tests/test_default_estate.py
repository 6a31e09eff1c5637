"""The blueprint of the default estate."""

from local.blueprint import FunctionIntegration, HttpIntegration, MockIntegration
from local.default_estate import default_estate
from local.gateway.matching import match
from services.declared import FUNCTIONS, ROUTED
from services.declared import SERVICES as DECLARED


def test_the_names_are_those_of_the_cloud() -> None:
    estate = default_estate(keys={"api": "a", "client": "c"}, origin_secret="o")
    assert {
        function.name: (function.memory_mb, function.timeout_seconds)
        for function in estate.functions
    } == {
        f"fin-advisor-dev-{name}": (DECLARED[name].memory_mb, DECLARED[name].timeout_s)
        for name in (*FUNCTIONS, "records")
    }
    assert estate.schedules.keys() == {"api", "records"}
    assert [service.name for service in estate.web_services] == ["fin-advisor-dev-runner"]
    assert estate.secrets["fin-advisor/dev/api/api-key"] == "a"
    assert estate.secrets["fin-advisor/dev/runner/origin"] == "o"
    assert estate.api.stage == "dev"
    assert estate.api.key_named("client").value == "c"


def test_no_function_sets_what_lambda_reserves() -> None:
    estate = default_estate(keys={}, origin_secret="o")
    for function in estate.functions:
        assert not any(name.startswith("AWS_") for name in function.environment)
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
    plain = match(default_estate(keys={}, origin_secret="o").api.resources, "OPTIONS", "/api/ask")
    assert plain is not None
    assert plain.method.api_key_required


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
