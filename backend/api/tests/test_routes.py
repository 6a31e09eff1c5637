"""The HTTP API of the api service, as its callers see it."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.tests.fakes import SETTINGS, Gateway, job
from shared.request.user import HEADERS
from shared.testing import FORGED_IDENTITIES, TWO_KEY_NAMES, app_client, two_keys

pytestmark = pytest.mark.anyio

CHAT_ANSWER: dict[str, Any] = {
    "answer": "Save first [1].",
    "status": "partial",
    "stop_reason": "end_turn",
    "citations": [
        {
            "marker": 1,
            "document_id": "savings",
            "passage_id": "savings#0",
            "title": "Savings",
            "page": 3,
            "as_of": "2026-01-01",
            "quote": "Save first.",
            "start": 0,
            "end": 11,
            "spans": [{"start": 0, "end": 15}],
            "score": 0.8,
        }
    ],
    "removed": [{"sentence": "Bonds pay 12 %.", "reason": "number_not_in_source"}],
    "question_figures": [],
    "relevance": "relevant",
    "disclosure": "An AI wrote this.",
    "usage": {"input_tokens": 10, "output_tokens": 5},
    "boundary": {"category": "information", "rule": None, "policy_version": "1"},
    "model_id": "fake-model",
    "answer_id": "a_1",
    "conversation_id": "c_1",
}
CONVERSATION: dict[str, Any] = {
    "conversation_id": "c_1",
    "expires_at": "2026-12-28T12:00:00.000Z",
    "turns": [
        {
            "answer_id": "a_1",
            "asked_at": "2026-11-28T12:00:00.000Z",
            "question": "How do I save?",
            "answer": {
                key: value
                for key, value in CHAT_ANSWER.items()
                if key not in {"answer_id", "conversation_id"}
            },
            "feedback": {"rating": "up", "reason": None},
        }
    ],
}
STORED = {"documents": [{"id": "a", "passages": 2, "version": "1"}], "passages": 2}
HEALTHY = httpx.Response(200, json={"status": "healthy"})
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def http_to(gateway: Gateway) -> httpx.AsyncClient:
    return app_client(create_app(SETTINGS, client=gateway.client()))


async def test_the_health_of_every_other_service_is_asked_through_the_gateway() -> None:
    gateway = Gateway({f"GET /{name}/health": HEALTHY for name in ("chat", "s3vector", "runner")})
    async with http_to(gateway) as http:
        response = await http.get("/test", headers={"x-amzn-trace-id": TRACE})
    assert response.status_code == 200
    body = response.json()
    assert body["healthy"] is True
    assert set(body["services"]) == {"chat", "s3vector", "runner"}
    assert all(info["status"] == 200 for info in body["services"].values())
    assert body["trace_id"] == "5759e988bd862e3fe1be46a994272793"
    assert {request.headers["x-api-key"] for request in gateway.requests} == {"api-key"}
    assert {request.headers["x-amzn-trace-id"] for request in gateway.requests} == {TRACE}
    assert {request.headers["x-request-id"] for request in gateway.requests} == {
        response.headers["x-request-id"]
    }


async def test_a_service_that_fails_is_reported_beside_those_that_answer() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    gateway = Gateway(
        {
            "GET /chat/health": HEALTHY,
            "GET /s3vector/health": unreachable,
            "GET /runner/health": httpx.Response(502, json={"message": "Internal server error"}),
        }
    )
    async with http_to(gateway) as http:
        body = (await http.get("/test")).json()
    assert body["healthy"] is False
    assert body["services"]["chat"]["healthy"] is True
    assert body["services"]["s3vector"]["error"] == "service_unreachable"
    assert body["services"]["s3vector"]["status"] is None
    assert body["services"]["runner"]["error"] == "bad_answer"
    assert body["services"]["runner"]["status"] == 502


async def test_a_question_goes_to_chat_as_a_conversation_of_one_turn() -> None:
    gateway = Gateway({"POST /chat/messages": httpx.Response(200, json=CHAT_ANSWER)})
    async with http_to(gateway) as http:
        response = await http.post(
            "/ask", json={"question": " How do I save? ", "filter": {"topic": "saving"}}
        )
    assert response.status_code == 200
    assert gateway.sent() == {
        "messages": [{"role": "user", "content": "How do I save?"}],
        "top_k": 5,
        "filter": {"topic": "saving"},
    }
    body = response.json()
    request_id = response.headers["x-request-id"]
    assert body == CHAT_ANSWER | {"request_id": request_id, "trace_id": body["trace_id"]}


async def test_a_question_continues_a_conversation() -> None:
    gateway = Gateway({"POST /chat/messages": httpx.Response(200, json=CHAT_ANSWER)})
    async with http_to(gateway) as http:
        await http.post("/ask", json={"question": "Why?", "conversation_id": "c_1"})
    assert gateway.sent()["conversation_id"] == "c_1"


async def test_an_answer_without_a_model_has_no_model_id() -> None:
    answer = httpx.Response(200, json=CHAT_ANSWER | {"model_id": None, "new_field": 1})
    async with http_to(Gateway({"POST /chat/messages": answer})) as http:
        body = (await http.post("/ask", json={"question": "Hello"})).json()
    assert body["model_id"] is None
    assert "new_field" not in body


async def test_a_conversation_is_read_and_erased_in_chat() -> None:
    gateway = Gateway(
        {
            "GET /chat/conversations/c_1": httpx.Response(200, json=CONVERSATION),
            "DELETE /chat/conversations/c_1": httpx.Response(204),
        }
    )
    async with http_to(gateway) as http:
        read = await http.get("/conversations/c_1")
        erased = await http.delete("/conversations/c_1")
    assert (read.status_code, read.json()) == (200, CONVERSATION)
    assert (erased.status_code, erased.content) == (204, b"")


async def test_feedback_is_stored_by_chat() -> None:
    gateway = Gateway({"POST /chat/answers/a_1/feedback": httpx.Response(204)})
    async with http_to(gateway) as http:
        response = await http.post("/answers/a_1/feedback", json={"rating": "up", "reason": " ok "})
    assert response.status_code == 204
    assert gateway.sent() == {"rating": "up", "reason": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("GET", "/conversations/c_9", "GET /chat/conversations/c_9"),
        ("DELETE", "/conversations/c_9", "DELETE /chat/conversations/c_9"),
        ("POST", "/answers/a_9/feedback", "POST /chat/answers/a_9/feedback"),
    ],
)
async def test_an_id_unknown_to_chat_is_not_found(method: str, path: str, target: str) -> None:
    answer = httpx.Response(404, json={"error": "not_found", "detail": "why"})
    async with http_to(Gateway({target: answer})) as http:
        body = {"rating": "up"} if method == "POST" else None
        response = await http.request(method, path, json=body)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")


async def test_documents_are_put_into_s3vector() -> None:
    gateway = Gateway({"PUT /s3vector/documents": httpx.Response(200, json=STORED)})
    document = {"id": "a", "text": "Save.", "metadata": {"topic": "saving", "tags": ["x"]}}
    async with http_to(gateway) as http:
        response = await http.post("/documents", json={"documents": [document]})
    assert (response.status_code, response.json()) == (200, STORED)
    assert gateway.sent() == {"documents": [document]}
    assert dict(gateway.requests[0].url.params) == {"whole": "true"}


async def test_an_idempotency_key_starts_one_ingestion_whose_id_gives_its_progress() -> None:
    gateway = Gateway(
        {
            "POST /runner/jobs": httpx.Response(202, json=job("pending")),
            "GET /runner/jobs/job-1": httpx.Response(200, json=job("succeeded")),
        }
    )
    async with http_to(gateway) as http:
        started = await http.post(
            "/ingestions", json={"prefix": "uploads/2026/"}, headers={"idempotency-key": "k-1"}
        )
        followed = await http.get("/ingestions/job-1")
    assert (started.status_code, started.json()["state"]) == (202, "pending")
    assert gateway.requests[0].headers["idempotency-key"] == "k-1"
    assert started.headers["location"] == "ingestions/job-1"
    assert (followed.status_code, followed.json()["state"]) == (200, "succeeded")


UPLOAD = {
    "id": "0" * 64,
    "method": "PUT",
    "url": "https://s3.test/x?X-Amz-Signature=1",
    "headers": {"content-type": "application/pdf", "content-length": "7000000"},
    "expires_at": "2026-01-02T03:14:05.000Z",
    "is_stored": False,
}


async def test_small_files_go_into_the_body_and_large_ones_into_uploads() -> None:
    gateway = Gateway(
        {
            "POST /runner/uploads": httpx.Response(201, json=UPLOAD),
            "POST /runner/jobs": httpx.Response(202, json=job("pending")),
        }
    )
    file = {"content_type": "application/pdf", "size": 7_000_000, "sha256": "0" * 64}
    pdf = {"content_type": "application/pdf"}
    documents = [
        {"id": "small", "data": "JVBERi0=", **pdf},
        {"id": "large", "upload": "0" * 64, **pdf},
    ]
    async with http_to(gateway) as http:
        uploaded = await http.post("/uploads", json=file)
        assert (uploaded.status_code, uploaded.json()) == (201, UPLOAD)
        started = await http.post("/ingestions", json={"documents": documents})
        assert started.status_code == 202
    assert gateway.sent(0) == file
    assert gateway.sent(1) == {"documents": [one | {"metadata": {}} for one in documents]}


async def test_ingestions_are_listed_cancelled_and_removed() -> None:
    listed = {"jobs": [job()], "unreadable": [], "cursor": "0123456789ab"}
    gateway = Gateway(
        {
            "GET /runner/jobs": httpx.Response(200, json=listed),
            "DELETE /runner/jobs/open": httpx.Response(200, json=job("cancelled")),
            "DELETE /runner/jobs/ended": httpx.Response(204),
        }
    )
    async with http_to(gateway) as http:
        page = (await http.get("/ingestions?state=open&limit=5&cursor=00000000")).json()
        assert [one["id"] for one in page["ingestions"]] == ["job-1"]
        assert (page["unreadable"], page["cursor"]) == ([], "0123456789ab")
        cancelled = await http.delete("/ingestions/open")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
        removed = await http.delete("/ingestions/ended")
        assert (removed.status_code, removed.content) == (204, b"")
    sent = dict(gateway.requests[0].url.params)
    assert sent == {"state": "open", "limit": "5", "cursor": "00000000"}


async def test_a_partial_ingestion_names_the_pages_that_are_missing() -> None:
    error = {"document_id": "a.pdf", "detail": "a scan", "pages": [{"first": 2, "last": 3}]}
    runner = httpx.Response(200, json=job("partial") | {"partial": 1, "errors": [error]})
    async with http_to(Gateway({"GET /runner/jobs/job-1": runner})) as http:
        found = (await http.get("/ingestions/job-1")).json()
    assert (found["state"], found["partial"], found["errors"]) == ("partial", 1, [error])


async def test_a_waiting_ingestion_says_why_and_until_when() -> None:
    waiting = {"reason": "the store is busy", "until": "2026-01-02T03:05:06.000Z"}
    runner = httpx.Response(200, json=job() | {"waiting": waiting})
    async with http_to(Gateway({"GET /runner/jobs/job-1": runner})) as http:
        assert (await http.get("/ingestions/job-1")).json()["waiting"] == waiting


async def test_status_describes_the_running_process() -> None:
    async with http_to(Gateway({})) as http:
        body = (await http.get("/status")).json()
    assert body["service"] == "api"
    assert body["region"] == "us-east-1"
    assert body["uptime_seconds"] >= 0


@pytest.mark.parametrize(
    ("upstream", "status", "code"),
    [
        (
            httpx.Response(422, json={"error": "unprocessable", "detail": "why"}),
            422,
            "unprocessable",
        ),
        (httpx.Response(404, json={"error": "not_found", "detail": "why"}), 404, "not_found"),
        (httpx.Response(503, json={"error": "unavailable", "detail": "why"}), 503, "unavailable"),
        (httpx.Response(504, json={"message": "Endpoint request timed out"}), 504, "call_timeout"),
        (httpx.Response(429, json={"message": "Limit Exceeded"}), 503, "quota_exceeded"),
        (httpx.Response(429, json={"message": "Too Many Requests"}), 503, "throttled"),
        (httpx.Response(200, content=b"not json"), 502, "bad_dependency"),
        (
            httpx.Response(
                403,
                json={"message": "Forbidden"},
                headers={"x-amzn-errortype": "ForbiddenException"},
            ),
            502,
            "key_refused",
        ),
    ],
)
async def test_an_error_of_chat_becomes_the_matching_error(
    upstream: httpx.Response, status: int, code: str
) -> None:
    async with http_to(Gateway({"POST /chat/messages": upstream})) as http:
        response = await http.post("/ask", json={"question": "How do I save?"})
    body = response.json()
    assert (response.status_code, body["error"]) == (status, code)
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]


DOCUMENT = {"id": "a", "text": "Save."}


async def test_a_full_store_stays_507_and_another_failure_becomes_502() -> None:
    full = {"error": "capacity_exceeded", "detail": "The store is full."}
    for upstream, status, code in ((507, 507, "capacity_exceeded"), (500, 502, "bad_answer")):
        gateway = Gateway({"PUT /s3vector/documents": httpx.Response(upstream, json=full)})
        async with http_to(gateway) as http:
            answer = await http.post("/documents", json={"documents": [DOCUMENT]})
        assert (answer.status_code, answer.json()["error"]) == (status, code)
        assert "The store is full." in answer.json()["detail"]


def _keys(count: int) -> dict[str, int]:
    return {f"k{number}": number for number in range(count)}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/ask", {}),
        ("/ask", {"question": " "}),
        ("/ask", {"question": "x" * 60_000}),
        ("/ask", {"question": "x", "top_k": 0}),
        ("/ask", {"question": "x", "top_k": 10_000}),
        ("/ask", {"question": "x", "surprise": 1}),
        ("/ask", {"question": "x", "conversation_id": "../x"}),
        ("/ask", {"question": "x", "conversation_id": "x" * 129}),
        ("/answers/a_1/feedback", {}),
        ("/answers/a_1/feedback", {"rating": "sideways"}),
        ("/answers/a_1/feedback", {"rating": "up", "reason": "x" * 1_001}),
        ("/answers/a.1/feedback", {"rating": "up"}),
        ("/documents", {"documents": []}),
        ("/documents", {"documents": [DOCUMENT | {"id": "../secrets"}]}),
        ("/documents", {"documents": [DOCUMENT | {"id": "a/b"}]}),
        ("/documents", {"documents": [DOCUMENT | {"text": ""}]}),
        ("/documents", {"documents": [DOCUMENT | {"text": "x" * 60_000}]}),
        ("/documents", {"documents": [DOCUMENT | {"metadata": {"a": {"b": 1}}}]}),
        ("/documents", {"documents": [DOCUMENT | {"text": " "}]}),
        ("/documents", {"documents": [DOCUMENT | {"title": " "}]}),
        ("/documents", {"documents": [DOCUMENT | {"id": "a..b"}]}),
        ("/documents", {"documents": [DOCUMENT | {"metadata": {"_a": "b"}}]}),
        ("/documents", {"documents": [DOCUMENT | {"metadata": _keys(41)}]}),
        ("/documents", {"documents": [DOCUMENT | {"metadata": {"a": "x" * 2000}}]}),
        ("/documents", {"documents": [DOCUMENT, DOCUMENT]}),
        ("/documents", {"documents": [DOCUMENT | {"id": "a:p2"}]}),
        ("/documents", {"documents": [{"id": f"d{n}", "text": "x"} for n in range(101)]}),
        ("/ingestions", {}),
        ("/ingestions", {"documents": [DOCUMENT, DOCUMENT]}),
        ("/ingestions", {"documents": [DOCUMENT | {"metadata": _keys(41)}]}),
        ("/ingestions", {"prefix": "secrets/"}),
        ("/ingestions", {"prefix": "uploads/../jobs/"}),
        ("/ingestions", {"documents": [{"id": "a"}]}),
        ("/ingestions", {"documents": [DOCUMENT | {"data": "aGFsbG8="}]}),
        ("/ingestions", {"documents": [DOCUMENT | {"content_type": "application/pdf"}]}),
        ("/ingestions", {"documents": [DOCUMENT | {"content_type": "image/png"}]}),
        ("/ingestions", {"documents": [{"id": "a", "data": "not base64!"}]}),
        ("/ingestions", {"documents": [{"id": "a", "upload": "../x"}]}),
        ("/ingestions", {"documents": [DOCUMENT | {"id": "a:p2"}]}),
        ("/uploads", {"content_type": "text/plain"}),
        ("/uploads", {"content_type": "text/plain", "size": 0, "sha256": "0" * 64}),
        ("/uploads", {"content_type": "text/plain", "size": 1, "sha256": "../x"}),
        ("/ingestions", {"prefix": "uploads/", "documents": [DOCUMENT]}),
    ],
)
async def test_a_wrong_body_is_refused_before_anything_is_called(
    path: str, body: dict[str, Any]
) -> None:
    gateway = Gateway({})
    async with http_to(gateway) as http:
        response = await http.post(path, json=body)
    assert response.status_code == 422
    assert response.json()["error"] == "unprocessable"
    assert gateway.requests == []


async def test_the_openapi_document_is_complete() -> None:
    async with http_to(Gateway({})) as http:
        document = (await http.get("/openapi.json")).json()
    assert {"/test", "/status", "/ask", "/documents", "/ingestions"} <= set(document["paths"])
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            answers = operation["responses"]
            status, success = next(item for item in answers.items() if item[0] < "300")
            if path.endswith("/stream"):
                assert set(success["content"]) == {"text/event-stream"}
                continue
            assert status == "204" or "$ref" in success["content"]["application/json"]["schema"]
            assert {"401", "422", "502", "503", "504"} <= set(answers)


async def test_only_pages_of_an_allowed_origin_may_read_answers() -> None:
    settings = SETTINGS.model_copy(update={"cors_origins": "https://app.example,https://b.example"})
    async with app_client(create_app(settings, client=Gateway({}).client())) as http:
        allowed = await http.get("/status", headers={"origin": "https://app.example"})
        other = await http.get("/status", headers={"origin": "https://evil.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    exposed = allowed.headers["access-control-expose-headers"].split(", ")
    assert exposed == ["location", "retry-after", "x-request-id"]
    assert "access-control-allow-origin" not in other.headers


async def test_without_allowed_origins_no_page_may_read_answers() -> None:
    async with http_to(Gateway({})) as http:
        answer = await http.get("/status", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers


PASSAGE = {
    "document_id": "a", "passage_id": "a#0", "title": "A", "text": "Save first.", "score": 0.5,
    "lexical": 2.5, "fused": 0.9, "metadata": {"topic": "savings"}, "version": "v1",
}  # fmt: skip
SUMMARY = {
    "id": "a", "title": "A", "metadata": {"topic": "savings"}, "version": "v1",
    "updated_at": "2026-01-02T03:04:05.000Z", "passages": 1, "is_own": False,
}  # fmt: skip


async def test_a_search_is_s3vectors() -> None:
    found = {
        "passages": [PASSAGE], "mode": "hybrid", "best_score": 0.6, "embedding_model": "titan",
    }  # fmt: skip
    gateway = Gateway({"POST /s3vector/query": httpx.Response(200, json=found)})
    async with app_client(create_app(SETTINGS, client=gateway.client())) as client:
        search = {"text": "save", "mode": "hybrid", "filter": {"topic": "savings"}}
        answer = await client.post("/search", json=search)
    assert (answer.status_code, answer.json()) == (200, found)
    assert gateway.sent() == search | {"top_k": 5}


async def test_documents_are_listed_read_and_deleted_in_s3vector() -> None:
    page = {"documents": [SUMMARY], "cursor": "next"}
    contents = [{"passage_id": "a#0", "text": "Save first."}]
    detail = SUMMARY | {"contents": contents, "cursor": None}
    gateway = Gateway(
        {
            "GET /s3vector/documents": httpx.Response(200, json=page),
            "GET /s3vector/documents/a": httpx.Response(200, json=detail),
            "DELETE /s3vector/documents/a": httpx.Response(204),
        }
    )
    async with app_client(create_app(SETTINGS, client=gateway.client())) as client:
        assert (await client.get("/documents?limit=3&cursor=last")).json() == page
        assert (await client.get("/documents/a")).json() == detail
        assert (await client.delete("/documents/a")).status_code == 204
        assert (await client.get("/documents/a..b")).status_code == 422
    assert str(gateway.requests[0].url.params) == "limit=3&cursor=last"


async def test_an_operator_names_the_owner_of_documents() -> None:
    owner = f"u-{'0' * 32}"
    gateway = Gateway(
        {
            "GET /s3vector/documents": httpx.Response(200, json={"documents": []}),
            "DELETE /s3vector/documents/a": httpx.Response(204),
        }
    )
    async with http_to(gateway) as client:
        assert (await client.get("/documents", params={"owner": owner})).status_code == 200
        assert (await client.delete("/documents/a", params={"owner": owner})).status_code == 204
        assert (await client.get("/documents?owner=ana")).status_code == 422
    assert [dict(one.url.params) for one in gateway.requests] == [
        {"limit": "100", "owner": owner},
        {"owner": owner},
    ]


async def test_an_unknown_document_stays_404() -> None:
    missing = httpx.Response(404, json={"error": "not_found", "detail": "There is no document."})
    gateway = Gateway({"GET /s3vector/documents/a": missing})
    async with app_client(create_app(SETTINGS, client=gateway.client())) as client:
        answer = await client.get("/documents/a")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


# --- Users ----------------------------------------------------------------------------------------

ANA = {"claims": {"sub": "ana", "custom:bank": "north", "cognito:groups": "curators"}}


def _app_with_users(gateway: Gateway) -> FastAPI:
    scopes = two_keys("GET /status", "POST /ask", "POST /documents", "GET /documents/{document_id}")
    settings = SETTINGS.model_copy(
        update={
            "enable_service_api_keys": True,
            "key_scopes": scopes,
            "users_required": True,
            "tenant_claim": "custom:bank",
        }
    )
    return create_app(settings, client=gateway.client(), key_names=TWO_KEY_NAMES)


def _signed_in(gateway: Gateway, authorizer: Any, key: str = "client") -> httpx.AsyncClient:
    context = {"identity": {"apiKeyId": f"id-of-{key}"}, "authorizer": authorizer}
    return app_client(_app_with_users(gateway), context=context)


@pytest.mark.parametrize("headers", FORGED_IDENTITIES)
@pytest.mark.parametrize("key", ["client", "service"])
async def test_nobody_says_who_the_user_is_but_the_gateway(
    key: str, headers: dict[str, str]
) -> None:
    gateway = Gateway({"POST /chat/messages": httpx.Response(200, json=CHAT_ANSWER)})
    async with _signed_in(gateway, ANA, key) as client:
        answer = await client.post("/ask", json={"question": "Who?"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "forged_identity")
    assert gateway.requests == []


async def test_the_user_in_the_claims_is_forwarded() -> None:
    gateway = Gateway({"POST /chat/messages": httpx.Response(200, json=CHAT_ANSWER)})
    async with _signed_in(gateway, ANA) as client:
        assert (await client.post("/ask", json={"question": "Who?"})).status_code == 200
    sent = gateway.requests[0].headers
    assert [sent[name] for name in HEADERS] == ["ana", "north", "curators"]


async def test_where_users_are_required_a_request_without_one_is_refused() -> None:
    async with _signed_in(Gateway({}), None) as client:
        refused = await client.get("/status")
        assert (refused.status_code, refused.json()["error"]) == (401, "unauthenticated")
        assert (await client.get("/health")).status_code == 200
    async with _signed_in(Gateway({}), {"claims": {"sub": "ana"}}) as client:
        refused = await client.get("/status")
        assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
