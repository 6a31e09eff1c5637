"""The blueprint of the default estate."""

from local.blueprint import FunctionIntegration, HttpIntegration, default_estate
from local.gateway.matching import match


def test_the_names_are_those_of_the_cloud() -> None:
    estate = default_estate(keys={"api": "a", "client": "c"}, origin_secret="o")
    assert [function.name for function in estate.functions] == [
        "fin-advisor-dev-api",
        "fin-advisor-dev-chat",
        "fin-advisor-dev-s3vector",
    ]
    assert {(function.memory_mb, function.timeout_seconds) for function in estate.functions} == {
        (512, 30.0)
    }
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
    for service in ("api", "chat", "s3vector"):
        found = match(resources, "POST", f"/{service}/x/y")
        assert found is not None
        assert found.method.integration == FunctionIntegration(f"fin-advisor-dev-{service}")
        assert found.method.api_key_required
    found = match(resources, "GET", "/runner/jobs")
    assert found is not None
    assert isinstance(found.method.integration, HttpIntegration)
    assert match(resources, "GET", "/") is None
