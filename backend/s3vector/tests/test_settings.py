"""Settings name what is missing or wrong."""

from typing import Any

import pytest

from s3vector.settings import Settings
from s3vector.tests.fakes import SETTINGS
from shared.settings import SettingsError


def test_defaults_are_those_of_the_deployed_service() -> None:
    assert SETTINGS.vector_backend == "s3"
    assert SETTINGS.bedrock_model_id == "amazon.titan-embed-text-v2:0"
    assert SETTINGS.embedding_dimensions == 1024


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VECTOR_BACKEND", "faiss"),
        ("EMBEDDING_DIMENSIONS", "300"),
        ("VECTOR_BUCKET_NAME", "x"),
        ("VECTOR_INDEX_NAME", "Not_An_Index"),
        ("MAX_STORE_BYTES", "12"),
        ("EMBEDDING_CONCURRENCY", "0"),
    ],
)
def test_wrong_values_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment: dict[str, Any] = {
        "PROJECT_NAME": "fin-advisor",
        "ENVIRONMENT": "test",
        "SERVICE_NAME": "s3vector",
        "API_GATEWAY_URL": "http://127.0.0.1:9/test",
        "VECTOR_BUCKET_NAME": "fin-advisor-test-vectors",
    }
    for key, one in {**environment, name: value}.items():
        monkeypatch.setenv(key, one)
    with pytest.raises(SettingsError, match=name):
        Settings()


def test_numbers_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_DIMENSIONS", "512")
    values = SETTINGS.model_dump(exclude={"embedding_dimensions"})
    assert Settings(**values).embedding_dimensions == 512
