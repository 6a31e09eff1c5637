"""Each service's OpenAPI document is right behind the gateway, and its examples work."""

from typing import Any

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import ACCOUNT_ID, REGION, SERVICES
from local.conftest import RunningUp
from services.declared import DECLARED
from shared.description.document import operations
from shared.testing import body_examples

# In the order in which one makes what the next needs.
_METHODS = ("PUT", "POST", "GET")


def key_with_most_scopes(estate: RunningUp, service: str) -> str:
    keys = DECLARED.key_scopes(service)["keys"]
    name = max(keys, key=lambda one: len(keys[one]))
    secrets = boto3_client(
        "secretsmanager", endpoint_url=estate.variables["AWS_ENDPOINT_URL"], region=REGION
    )
    secret = secrets.get_secret_value(SecretId=f"fin-advisor/dev/{name}/api-key")
    return str(secret["SecretString"])


@pytest.mark.parametrize("service", SERVICES)
def test_the_examples_of_a_document_work_at_its_server(estate: RunningUp, service: str) -> None:
    _upload(estate, "uploads/2026/savings.txt")  # the prefix of an example
    headers = {"x-api-key": key_with_most_scopes(estate, service)}
    url = httpx.URL(f"{estate.url}/{service}/openapi.json")
    document = httpx.get(url, headers=headers, timeout=60).json()
    [server] = document["servers"]
    known: dict[str, Any] = {"document_id": "emergency-fund"}
    described = [one for one in operations(document) if one[0] in _METHODS]
    described.sort(key=lambda one: (_METHODS.index(one[0]), one[1].count("{")))
    for method, path, operation in described:
        for body in body_examples(document, operation):
            answer = httpx.request(
                method,
                url.join(server["url"]).join(path.format(**known).lstrip("/")),
                json=body,
                headers=headers,
                timeout=60,
            )
            assert answer.is_success, f"{method} {path}: {answer.text}"
            is_json = answer.headers.get("content-type") == "application/json"
            if answer.content and is_json and method in {"POST", "PUT"}:
                made = answer.json()
                known |= {
                    name: made[name] for name in ("conversation_id", "answer_id") if name in made
                }
                if answer.status_code == 202:
                    known |= {"job_id": made["id"], "ingestion_id": made["id"]}
                    followed = httpx.get(
                        answer.url.join(answer.headers["location"]), headers=headers, timeout=60
                    )
                    assert followed.json()["id"] == made["id"]


def test_head_is_answered_like_get_without_a_body(estate: RunningUp) -> None:
    for path in ("/api/status", "/api/documents", "/api/health"):
        head, get = (
            httpx.request(method, estate.url + path, headers=estate.headers, timeout=60)
            for method in ("HEAD", "GET")
        )
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-type"] == get.headers["content-type"]


def _upload(estate: RunningUp, key: str) -> None:
    s3 = boto3_client("s3", endpoint_url=estate.variables["AWS_ENDPOINT_URL"], region=REGION)
    bucket = f"fin-advisor-dev-jobs-{ACCOUNT_ID}-{REGION}"
    s3.put_object(Bucket=bucket, Key=key, Body=b"Save first.")
