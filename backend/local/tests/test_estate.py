"""The whole estate as its users run it: real processes, real sockets, the embedded AWS."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import ENV_FILE_KEYS, LAMBDA_SERVICES, REGION, SERVICES
from local.conftest import RunningUp
from local.demo.documents import QUESTION, documents
from services.declared import DECLARED

pytestmark = pytest.mark.anyio

PEERS = {name for name in SERVICES if name != "api"}


def call(estate: RunningUp, method: str, path: str, **more: Any) -> httpx.Response:
    options: dict[str, Any] = {"headers": estate.headers, "timeout": 35, **more}
    return httpx.request(method, estate.url + path, **options)


def hops(estate: RunningUp, answer: httpx.Response) -> list[dict[str, Any]]:
    root = answer.headers["x-amzn-trace-id"].split(";")[0].removeprefix("Root=")
    url = f"{estate.variables['CONSOLE_URL']}hops"
    found: list[dict[str, Any]] = httpx.get(url, params={"trace": root}).json()["hops"]
    return found


def invoke(estate: RunningUp, service: str, event: Any) -> Any:
    endpoint = estate.variables["AWS_ENDPOINT_URL"]
    client = boto3_client("lambda", endpoint_url=endpoint, region=REGION)
    name, payload = f"fin-advisor-dev-{service}", json.dumps(event)
    answer = client.invoke(FunctionName=name, Payload=payload)
    assert "FunctionError" not in answer
    return json.loads(answer["Payload"].read())


def test_the_env_file_has_the_urls_and_the_key(estate: RunningUp) -> None:
    names = {"API_GATEWAY_URL", *ENV_FILE_KEYS, "AWS_ENDPOINT_URL", "OTLP_ENDPOINT", "CONSOLE_URL"}
    assert estate.variables.keys() >= names
    assert estate.url == f"{estate.variables['CONSOLE_URL']}dev"
    page = httpx.get(estate.variables["CONSOLE_URL"])
    assert page.headers["content-type"].startswith("text/html")
    assert "/console/assets/console.js" in page.text
    status = httpx.get(f"{estate.variables['CONSOLE_URL']}status").json()
    assert status["API_GATEWAY_URL"] == estate.url


def test_the_other_services_are_healthy_each_through_the_gateway(estate: RunningUp) -> None:
    answer = call(estate, "GET", "/api/test")
    assert answer.status_code == 200
    services = answer.json()["services"]
    assert {name: result["healthy"] for name, result in services.items()} == dict.fromkeys(
        PEERS, True
    )
    first, *others = hops(estate, answer)
    assert (first["service"], first["caller"]) == ("api", "client")
    assert {hop["service"] for hop in others} == PEERS
    assert {hop["caller"] for hop in others} == {"api"}  # with its own key


def test_the_log_lines_of_all_services_carry_the_same_trace_id(estate: RunningUp) -> None:
    answer = call(estate, "GET", "/api/test")
    trace_id = answer.json()["trace_id"]
    for service in SERVICES:
        lines = [line for line in estate.log(service).splitlines() if '"event"' in line]
        traced = [line for line in map(json.loads, lines) if line.get("trace_id") == trace_id]
        assert "request_completed" in {line["event"] for line in traced}, service
        assert {line["service"] for line in traced} == {service}


def test_without_the_key_it_is_forbidden(estate: RunningUp) -> None:
    answer = httpx.get(f"{estate.url}/api/test")
    assert (answer.status_code, answer.text) == (403, '{"message":"Forbidden"}')


def test_an_unknown_path_is_a_missing_authentication_token(estate: RunningUp) -> None:
    answer = call(estate, "GET", "/nothing")
    assert (answer.status_code, answer.text) == (403, '{"message":"Missing Authentication Token"}')


def test_a_question_about_stored_documents_is_answered_with_citations(estate: RunningUp) -> None:
    loaded = call(
        estate,
        "POST",
        "/api/documents",
        json={"documents": documents()},
        headers=estate.ingest_headers,
    )
    assert loaded.status_code == 200
    answer = call(estate, "POST", "/api/ask", json={"question": QUESTION})
    assert answer.status_code == 200
    content = answer.json()
    cited = {citation["document_id"] for citation in content["citations"]}
    assert len(cited) >= 2
    assert "emergency-fund" in cited
    assert "three to six months" in content["answer"]
    assert [hop["service"] for hop in hops(estate, answer)] == ["api", "chat", "s3vector"]
    assert all(hop["target_request_id"] for hop in hops(estate, answer))


def test_a_question_that_the_documents_do_not_answer_is_not_answered(estate: RunningUp) -> None:
    question = "Which colour has the sky above the planet Mars?"
    answer = call(estate, "POST", "/api/ask", json={"question": question}).json()
    assert answer["answer"].startswith("I don't know")
    assert answer["citations"] == []


@pytest.mark.parametrize("service", LAMBDA_SERVICES)
def test_a_direct_invocation_says_whether_the_key_can_be_read(
    estate: RunningUp, service: str
) -> None:
    answer = invoke(estate, service, {"test": "secrets"})
    assert answer["secret"] == f"fin-advisor/dev/{service}/api-key"
    assert answer["readable"] is True


def test_the_scheduled_task_finishes_an_ingestion(estate: RunningUp) -> None:
    items = [{"id": f"ingested-{number}", "text": "A short text."} for number in range(3)]
    headers = estate.ingest_headers
    started = call(estate, "POST", "/api/ingestions", json={"documents": items}, headers=headers)
    assert started.status_code == 202
    job = started.json()
    for _ in range(10):
        invoke(estate, "api", {"task": "advance-jobs"})
        job = call(estate, "GET", f"/api/ingestions/{job['id']}", headers=headers).json()
        if job["state"] not in {"pending", "running"}:
            break
    assert (job["state"], job["done"]) == ("succeeded", 3)


def test_the_scheduled_task_seals_the_records_of_answers(estate: RunningUp) -> None:
    call(estate, "POST", "/api/ask", json={"question": "What is an emergency fund?"})
    first = invoke(estate, "records", {"task": "seal-records"})
    assert first["sealed"] >= 1
    assert first["last_seal"] >= 1
    again = invoke(estate, "records", {"task": "seal-records"})
    assert (again["sealed"], again["last_seal"]) == (0, first["last_seal"] + 1)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b'{"question": ""}', "application/json"),
        (b'{"question": "x", "unknown": 1}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"question": "x", "top_k": 10000}', "application/json"),
        (b"", "application/json"),
    ],
)
def test_bad_input_is_an_error_response(estate: RunningUp, body: bytes, content_type: str) -> None:
    headers = {**estate.headers, "content-type": content_type}
    answer = httpx.post(f"{estate.url}/api/ask", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json().keys() >= {"error", "detail", "timestamp", "request_id"}


async def test_concurrent_requests_keep_their_traces_apart(estate: RunningUp) -> None:
    async with httpx.AsyncClient(headers=estate.headers, timeout=60) as client:
        answers = await asyncio.gather(*(client.get(f"{estate.url}/api/test") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        services = sorted(hop["service"] for hop in hops(estate, answer))
        assert services == sorted(SERVICES)


FORGED = {"x-api-key-id": "key-ingest", "x-user": "someone", "x-tenant": "t", "x-roles": "curators"}


@pytest.mark.parametrize("forged", [{}, FORGED], ids=["plain", "forged"])
@pytest.mark.parametrize(
    ("operation", "scope"),
    [
        ("PUT /s3vector/documents", "s3vector:write"),
        ("DELETE /s3vector/documents/emergency-fund", "s3vector:write"),
        ("GET /s3vector/documents", "s3vector:read"),
        ("POST /s3vector/query", "s3vector:query"),
        ("POST /chat/messages", "chat:ask"),
        ("POST /runner/jobs", "runner:write"),
        ("GET /runner/jobs", "runner:read"),
        ("DELETE /runner/jobs/some-job-id", "runner:write"),
        ("POST /api/documents", "api:write"),
        ("DELETE /api/documents/emergency-fund", "api:write"),
        ("POST /api/ingestions", "api:write"),
    ],
)
def test_the_clients_key_is_refused_by_the_service_itself(
    estate: RunningUp, operation: str, scope: str, forged: dict[str, str]
) -> None:
    method, path = operation.split()
    # Not JSON: the scope is checked before the body is read.
    answer = call(estate, method, path, content=b"{", headers=estate.headers | forged)
    assert (answer.status_code, answer.json()["error"]) == (403, "missing_scope")
    assert answer.json()["detail"].startswith(f"This API key lacks the scope {scope};")


def test_the_ingest_key_reads_and_changes_documents(estate: RunningUp) -> None:
    headers = estate.ingest_headers
    body = {"documents": [{"id": "scoped", "text": "A short text about scopes."}]}
    assert call(estate, "POST", "/api/documents", json=body, headers=headers).status_code == 200
    found = call(estate, "POST", "/api/search", json={"text": "scopes", "top_k": 50})
    assert "scoped" in {one["document_id"] for one in found.json()["passages"]}
    assert call(estate, "GET", "/api/documents/scoped").json()["contents"]
    assert call(estate, "GET", "/api/documents").json()["documents"]
    deleted = call(estate, "DELETE", "/api/documents/scoped", headers=headers)
    assert deleted.status_code == 204
    assert call(estate, "GET", "/api/documents/scoped").status_code == 404
    refused = call(estate, "POST", "/chat/messages", json={}, headers=headers)
    assert refused.json()["error"] == "missing_scope"


def test_every_service_declares_the_operations_that_it_has(estate: RunningUp) -> None:
    """A route that services.json does not declare would be closed to every key."""
    for name in SERVICES:
        document = call(estate, "GET", f"/{name}/openapi.json").json()
        found = {
            f"{method.upper()} {path}"
            for path, methods in document["paths"].items()
            for method in methods
        }
        declared = {each for scope in DECLARED.services[name].access.values() for each in scope}
        health = {"GET /health", "GET /liveness", "GET /readiness"}
        # The Model Context Protocol describes this one.
        undescribed = {"POST /mcp"} if name == "api" else set()
        assert (found - health) | undescribed == declared, name
