"""Settings come from the environment, are immutable, and name every wrong variable."""

import os
import subprocess
import sys
from typing import Self

import pytest
from pydantic import Field, ValidationError, model_validator

from shared.settings import (
    BaseAWSSettings,
    BaseServiceSettings,
    BaseTracingSettings,
    FullServiceSettings,
    SettingsError,
    load_settings,
)

_COMPLETE = {
    "PROJECT_NAME": "fin-advisor",
    "ENVIRONMENT": "dev",
    "SERVICE_NAME": "api",
    "LOG_LEVEL": "WARNING",
    "AWS_REGION": "eu-west-1",
    "ENABLE_TRACING": "true",
    "OTLP_ENDPOINT": "http://localhost:4317",
    "API_GATEWAY_URL": "https://abc123.execute-api.us-east-1.amazonaws.com/dev",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*_COMPLETE, "AWS_DEFAULT_REGION", "SERVICE_VERSION"]:
        monkeypatch.delenv(name, raising=False)


def _set(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in (_COMPLETE | changes).items():
        monkeypatch.setenv(name, value)


def test_every_documented_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch)
    settings = FullServiceSettings()
    assert settings.project_name == "fin-advisor"
    assert settings.environment == "dev"
    assert settings.service_name == "api"
    assert settings.log_level == "WARNING"
    assert settings.aws_region == settings.aws_default_region == "eu-west-1"
    assert settings.enable_tracing is True
    assert settings.otlp_endpoint == "http://localhost:4317"
    assert settings.api_gateway_url == _COMPLETE["API_GATEWAY_URL"]
    assert settings.api_key_secret_name == "fin-advisor/dev/api/api-key"


def test_aws_region_takes_precedence_over_aws_default_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert BaseAWSSettings().aws_region == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert BaseAWSSettings().aws_region == "eu-west-1"


def test_a_service_adds_its_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings(FullServiceSettings):
        max_retries: int = 3

    _set(monkeypatch)
    assert Settings().max_retries == 3
    monkeypatch.setenv("MAX_RETRIES", "5")
    assert Settings().max_retries == 5


def test_settings_are_immutable(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch)
    with pytest.raises(ValidationError, match="frozen"):
        FullServiceSettings().log_level = "DEBUG"  # type: ignore[misc]


def test_passed_values_take_precedence_over_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "prod")
    settings = FullServiceSettings(
        project_name="p",
        environment="test",
        service_name="api",
        aws_region="us-west-2",
        api_gateway_url="http://localhost:8080/dev/",
    )
    assert (settings.environment, settings.aws_region) == ("test", "us-west-2")
    assert settings.api_gateway_url == "http://localhost:8080/dev", "no trailing slash"


def test_one_message_names_every_missing_and_every_wrong_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _set(
        monkeypatch,
        ENVIRONMENT="Dev!",
        LOG_LEVEL="loud",
        ENABLE_TRACING="maybe",
        OTLP_ENDPOINT="localhost:4317",
        AWS_REGION="moon",
    )
    monkeypatch.delenv("API_GATEWAY_URL")
    monkeypatch.setenv("SERVICE_NAME", "")  # an empty variable counts as missing
    with pytest.raises(SettingsError) as caught:
        FullServiceSettings()
    message = str(caught.value)
    rows = {row.strip().partition(":")[0]: row for row in message.splitlines()[1:]}
    assert set(rows) == {
        "SERVICE_NAME",
        "ENVIRONMENT",
        "LOG_LEVEL",
        "ENABLE_TRACING",
        "OTLP_ENDPOINT",
        "AWS_REGION or AWS_DEFAULT_REGION",
        "API_GATEWAY_URL",
    }
    assert "not set" in rows["API_GATEWAY_URL"]
    assert "absolute URL" in rows["API_GATEWAY_URL"]
    assert "'loud'" in rows["LOG_LEVEL"]
    assert "'WARNING'" in rows["LOG_LEVEL"], "the valid values"
    assert "'Dev!'" in rows["ENVIRONMENT"]
    assert "http://" in rows["OTLP_ENDPOINT"]
    assert caught.value.__suppress_context__, "pydantic's error may print a secret"


@pytest.mark.parametrize(
    "url",
    [
        "gateway/dev",
        "ftp://gateway/dev",
        "https://",
        "https:///dev",
        "https://gate way/dev",
        "http://host:notaport/dev",
        "http://host:99999/dev",
        "https://gateway/dev?stage=x",
        "https://gateway/dev#x",
    ],
)
def test_a_wrong_gateway_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    _set(monkeypatch, API_GATEWAY_URL=url)
    with pytest.raises(SettingsError, match="API_GATEWAY_URL: got "):
        FullServiceSettings()


def test_a_udp_url_is_valid_for_spans_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTLP_ENDPOINT", "udp://127.0.0.1:2000")
    assert BaseTracingSettings().otlp_endpoint == "udp://127.0.0.1:2000"
    _set(monkeypatch, API_GATEWAY_URL="udp://127.0.0.1:2000")
    with pytest.raises(SettingsError, match="API_GATEWAY_URL"):
        FullServiceSettings()


def test_no_message_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings(FullServiceSettings):
        api_key: str = Field(max_length=3)
        signing_secret: int = 0
        ports: tuple[int, ...] = ()

        @model_validator(mode="after")
        def check(self) -> Self:
            raise ValueError("these do not go together")

    _set(monkeypatch, OTLP_ENDPOINT="http://user:hunter2@collector:4318")
    monkeypatch.setenv("API_KEY", "hunter2-key")
    monkeypatch.setenv("SIGNING_SECRET", "hunter2-secret")
    with pytest.raises(SettingsError) as fields:
        Settings()
    monkeypatch.setenv("OTLP_ENDPOINT", "http://collector:4318")
    monkeypatch.setenv("API_KEY", "hun")
    monkeypatch.setenv("SIGNING_SECRET", "7342")
    with pytest.raises(SettingsError, match="do not go together") as whole:
        Settings()
    monkeypatch.setenv("PORTS", "[hunter2")
    with pytest.raises(SettingsError, match="ports") as unreadable:
        Settings()
    assert {"API_KEY", "SIGNING_SECRET", "OTLP_ENDPOINT"} <= set(
        str(fields.value).replace(":", " ").split()
    )
    for caught in (fields, whole, unreadable):
        for secret in ("hunter2", "7342", "'hun'"):
            assert secret not in str(caught.value)


@pytest.mark.parametrize("part", [BaseServiceSettings, BaseAWSSettings, BaseTracingSettings])
def test_each_base_class_explains_its_own_errors(
    monkeypatch: pytest.MonkeyPatch, part: type[BaseServiceSettings]
) -> None:
    _set(monkeypatch, LOG_LEVEL="x", AWS_REGION="x", ENABLE_TRACING="x")
    with pytest.raises(SettingsError, match=f"^{part.__name__}: the environment"):
        part()


def test_wrong_settings_end_the_process_with_only_the_message() -> None:
    code = (
        "from shared.settings import FullServiceSettings, load_settings; "
        "load_settings(FullServiceSettings)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **_COMPLETE, "LOG_LEVEL": "loud"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0].startswith("FullServiceSettings: the environment")
    assert "LOG_LEVEL: got 'loud'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_valid_settings_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch)
    assert load_settings(FullServiceSettings).service_name == "api"
