"""The environment variables that Terraform sets, and wrong values of them."""

import subprocess
import sys
from typing import Any

import pytest

from rotation.settings import Settings
from shared.settings import SettingsError

GOOD: dict[str, Any] = {
    "project_name": "fin-advisor",
    "environment": "dev",
    "service_name": "rotation",
    "api_gateway_url": "https://abc.execute-api.us-east-1.amazonaws.com/dev",
    "usage_plan_ids": '{"api": "abc123"}',
}


def test_maps_are_json_objects_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("SERVICE_PATHS", '{"api": "/api/health"}')
    settings = Settings()

    assert settings.usage_plan_ids == {"api": "abc123"}
    assert settings.terraform_api_key_ids == {}
    assert settings.path_of("api") == settings.path_of("client") == "/api/health"


@pytest.mark.parametrize("value", ["", "{", "[]", "{}", '{"api": 1}', "abc123"])
def test_a_wrong_map_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, good in GOOD.items():
        monkeypatch.setenv(name.upper(), good)
    monkeypatch.setenv("USAGE_PLAN_IDS", value)
    with pytest.raises(SettingsError, match="USAGE_PLAN_IDS"):
        Settings()


def test_importing_the_handler_costs_neither_fastapi_nor_boto3() -> None:
    program = (
        "import sys, rotation.handler\n"
        "print(*sorted({'fastapi', 'boto3', 'botocore', 'httpx', 'starlette'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)}, timeout=60,
    )  # fmt: skip
    assert found.stdout.strip() == ""
