"""The HTTP interface: every invalid body gets a clear error."""

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3vector.app import create_app
from s3vector.s3_store import MANIFEST, S3VectorStore
from s3vector.tests.cloud import Cloud
from s3vector.tests.fakes import DIMENSIONS, SETTINGS, FakeEmbedder, hashed_vector
from shared.request.user import User
from shared.testing import (
    FORGED_IDENTITIES,
    JSON,
    TWO_KEY_NAMES,
    UNENCODABLE,
    app_client,
    calling_with,
    hostile_bodies,
    two_keys,
)

pytestmark = pytest.mark.anyio

_VECTOR = [1.0] + [0.0] * (DIMENSIONS - 1)


@pytest.fixture
async def client(new_s3_store: Callable[..., S3VectorStore]) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(SETTINGS, store=new_s3_store(), embedder=FakeEmbedder())
    async with app_client(app) as client:
        yield client


async def _put(client: httpx.AsyncClient, *documents: dict[str, Any]) -> dict[str, Any]:
    response = await client.put("/documents", json={"documents": documents})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def _assert_error(response: httpx.Response, status: int, code: str) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"error", "detail", "timestamp", "request_id"}
    assert body["error"] == code
    detail: str = body["detail"]
    return detail


async def test_a_mode_of_search_is_chosen_for_each_query(client: httpx.AsyncClient) -> None:
    await _put(
        client,
        {"id": "form", "text": "Each company files a Form 10-K after its year."},
        {"id": "other", "text": "Each company files something after its year."},
    )
    asked = {"text": "What is a 10-K?", "top_k": 1}
    shown = {}
    for mode in ("dense", "lexical", "hybrid", None):
        answer = (await client.post("/query", json={**asked, "mode": mode})).json()
        (found,) = answer["passages"]
        shown[mode] = [name for name in ("score", "lexical", "fused") if found[name] is not None]
        assert answer["mode"] == (mode or "hybrid")
        assert (answer["best_score"] is None) == (mode == "lexical")
        assert mode == "dense" or found["document_id"] == "form"
    assert shown == {
        "dense": ["score"],
        "lexical": ["lexical"],
        "hybrid": ["score", "lexical", "fused"],
        None: ["score", "lexical", "fused"],
    }


@pytest.mark.parametrize("mode", ["lexical", "hybrid"])
async def test_words_need_a_text(client: httpx.AsyncClient, mode: str) -> None:
    answer = await client.post("/query", json={"vector": [1.0] * DIMENSIONS, "mode": mode})
    assert answer.status_code == 422
    assert "give text instead of vector" in answer.json()["detail"]


async def test_a_document_is_stored_found_listed_and_deleted(client: httpx.AsyncClient) -> None:
    put = await _put(
        client,
        {
            "id": "emergency-fund",
            "text": "Keep three months of expenses in a savings account.",
            "title": "Emergency funds",
            "metadata": {"topic": "savings", "year": 2026, "tags": ["basics"], "draft": False},
        },
        {"id": "taxes", "text": "File your income tax return in spring."},
    )
    version = put["documents"][0]["version"]
    assert put["passages"] == 2
    assert put["documents"][0] == {"id": "emergency-fund", "passages": 1, "version": version}

    found = await client.post(
        "/query", json={"text": "savings account", "top_k": 1, "filter": {"tags": "basics"}}
    )
    (passage,) = found.json()["passages"]
    assert passage.pop("score") > 0
    assert passage.pop("lexical") > 0
    assert 0 < passage.pop("fused") <= 1
    assert passage == {
        "document_id": "emergency-fund",
        "passage_id": "emergency-fund#0",
        "title": "Emergency funds",
        "text": "Keep three months of expenses in a savings account.",
        "metadata": {"topic": "savings", "year": 2026, "tags": ["basics"], "draft": False},
        "owner": None,
        "version": version,
    }

    listed = (await client.get("/documents", params={"limit": 1})).json()
    assert [one["id"] for one in listed["documents"]] == ["emergency-fund"]
    rest = (await client.get("/documents", params={"cursor": listed["cursor"]})).json()
    assert [one["id"] for one in rest["documents"]] == ["taxes"]
    assert rest["cursor"] is None

    detail = (await client.get("/documents/emergency-fund")).json()
    assert detail["version"] == version
    assert detail["contents"][0]["passage_id"] == "emergency-fund#0"

    stats = (await client.get("/stats")).json()
    assert (stats["backend"], stats["documents"], stats["passages"]) == ("s3", 2, 2)

    assert (await client.delete("/documents/emergency-fund")).status_code == 204
    _assert_error(await client.get("/documents/emergency-fund"), 404, "not_found")
    _assert_error(await client.delete("/documents/emergency-fund"), 404, "not_found")


async def test_a_query_by_vector_needs_no_model(client: httpx.AsyncClient) -> None:
    await _put(client, {"id": "a", "text": "alpha"})
    vector = list(hashed_vector("alpha"))
    found = (await client.post("/query", json={"vector": vector})).json()
    assert found["passages"][0]["score"] == pytest.approx(1.0, abs=1e-6)


async def test_embeddings_come_in_the_order_of_the_texts(client: httpx.AsyncClient) -> None:
    body = (await client.post("/embeddings", json={"texts": ["a", "b"]})).json()
    assert body["embeddings"] == [list(hashed_vector("a")), list(hashed_vector("b"))]
    assert (body["dimensions"], body["model_id"]) == (DIMENSIONS, "fake-model")


async def test_readiness_checks_the_bucket(
    client: httpx.AsyncClient, cloud: Cloud, bucket_name: str
) -> None:
    assert (await client.get("/readiness")).status_code == 200
    cloud.client("s3").delete_bucket(Bucket=bucket_name)
    detail = _assert_error(await client.get("/readiness"), 503, "unavailable")
    assert "vector_store" in detail
    assert (await client.get("/health")).status_code == 200


def _documents(**changes: Any) -> dict[str, Any]:
    return {"documents": [{"id": "a", "text": "t", **changes}]}


_WRONG_FILTERS: list[Any] = [
    {},
    [],
    "topic",
    {"$nor": [{"a": 1}]},
    {"k": {"$like": "a"}},
    {"k": None},
    {"k": float("nan")},
    {"$or": []},
    {"\ud800": 1},
    {"k": "\ud800"},
    {"k": {"\ud800": 1}},
    {"k": {"$in": ["a"] * 101}},
]

_UNPROCESSABLE: list[tuple[str, str, Any]] = [
    ("PUT", "/documents", {}),
    ("PUT", "/documents", {"documents": []}),
    ("PUT", "/documents", {"documents": [{"id": "a", "text": "t"}] * 2}),
    ("PUT", "/documents", {"documents": [{"id": f"d{n}", "text": "t"} for n in range(101)]}),
    ("PUT", "/documents", {**_documents(), "unknown": 1}),
    ("PUT", "/documents", _documents(unknown=1)),
    ("PUT", "/documents", _documents(text="")),
    ("PUT", "/documents", _documents(text=" \n\t")),
    ("PUT", "/documents", _documents(text="x" * 60_000)),
    ("PUT", "/documents", _documents(text=1)),
    ("PUT", "/documents", _documents(text=None)),
    ("PUT", "/documents", _documents(text="a\ud800b")),
    ("PUT", "/documents", _documents(title="")),
    ("PUT", "/documents", _documents(title="x" * 301)),
    ("PUT", "/documents", _documents(title="\udfff")),
    *(
        ("PUT", "/documents", _documents(id=one))
        for one in ("", "a/b", "..", "a..b", "../a", "a b", "ü", ".a", "a\n", "a" * 129, 1, None)
    ),
    ("PUT", "/documents", _documents(metadata={"k": None})),
    ("PUT", "/documents", _documents(metadata={"k": float("nan")})),
    ("PUT", "/documents", _documents(metadata={"k": {"deep": 1}})),
    ("PUT", "/documents", _documents(metadata={"_passage": "x"})),
    ("PUT", "/documents", _documents(metadata={"k": "x" * 3000})),
    ("PUT", "/documents", _documents(metadata={"k": "\ud800"})),
    ("PUT", "/documents", _documents(metadata=[])),
    ("POST", "/query", {}),
    ("POST", "/query", {"text": "a", "vector": _VECTOR}),
    ("POST", "/query", {"text": ""}),
    ("POST", "/query", {"text": "   "}),
    ("POST", "/query", {"text": "x" * 60_000}),
    ("POST", "/query", {"text": "a", "unknown": 1}),
    *(
        ("POST", "/query", {"text": "a", "top_k": top_k})
        for top_k in (0, -1, 101, 10_000, 1.5, "5", True, None, 10**30)
    ),
    ("POST", "/query", {"vector": []}),
    ("POST", "/query", {"vector": [1.0]}),
    ("POST", "/query", {"vector": [0.0] * DIMENSIONS}),
    ("POST", "/query", {"vector": [1.0] * 5000}),
    *(
        ("POST", "/query", {"vector": [*_VECTOR[1:], one]})
        for one in (float("nan"), float("inf"), float("-inf"), 10**400, "1", None, True, [1.0])
    ),
    *(("POST", "/query", {"text": "a", "filter": where}) for where in _WRONG_FILTERS),
    ("POST", "/embeddings", {"texts": []}),
    ("POST", "/embeddings", {"texts": ["a"] * 101}),
    ("POST", "/embeddings", {"texts": [""]}),
    ("POST", "/embeddings", {"texts": ["x" * 60_000]}),
    ("POST", "/embeddings", {"texts": "a"}),
]


@pytest.mark.parametrize(("method", "path", "body"), _UNPROCESSABLE)
async def test_invalid_values_are_refused(
    client: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    content = json.dumps(body).encode()
    response = await client.request(
        method, path, content=content, headers={"content-type": "application/json"}
    )
    assert _assert_error(response, 422, "unprocessable")
    assert (await client.get("/stats")).json()["documents"] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b'{"text": "\xff"}',
        b'{"text": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"text": "a", "filter": ' + b'{"$and": [' * 5_000 + b"]}" * 5_000 + b"}",
        b'{"text": "a", "top_k": ' + b"9" * 10_000 + b"}",
        b"null",
        b'"text"',
    ],
)
async def test_an_unreadable_body_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    response = await client.post(
        "/query", content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code in {400, 422}, response.text
    assert response.json()["detail"]


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    documents = [{"id": f"d{number}", "text": "x" * 49_000} for number in range(100)]
    oversized = json.dumps({"documents": documents, "pad": "x" * 3_000_000})
    response = await client.put("/documents", content=oversized)
    _assert_error(response, 413, "payload_too_large")


async def test_more_passages_than_one_request_may_have_are_refused(
    client: httpx.AsyncClient,
) -> None:
    documents = [{"id": f"d{number}", "text": "x" * 45_000} for number in range(30)]
    response = await client.put("/documents", json={"documents": documents})
    assert "fewer documents" in _assert_error(response, 413, "payload_too_large")


@pytest.mark.parametrize("path", ["/documents/a/b", "/documents/a/b/", "/nowhere", "/nowhere/"])
async def test_unknown_paths_are_404(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, follow_redirects=False)).status_code == 404


async def test_a_trailing_slash_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/documents/", follow_redirects=False)
    assert (answer.status_code, answer.json()["documents"]) == (200, [])


@pytest.mark.parametrize("document_id", ["..%2f..", "%2e%2e", "a%00b", "a..b", "a%0a", "x" * 200])
async def test_ids_that_no_document_can_have_are_refused(
    client: httpx.AsyncClient, document_id: str
) -> None:
    for method in ("GET", "DELETE"):
        response = await client.request(method, f"/documents/{document_id}")
        assert response.status_code in {404, 405, 422}
        assert response.json()["detail"]


@pytest.mark.parametrize(
    "params",
    [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": ""}, {"cursor": "x" * 5000}],
)
async def test_bad_page_parameters_are_refused(
    client: httpx.AsyncClient, params: dict[str, Any]
) -> None:
    _assert_error(await client.get("/documents", params=params), 422, "unprocessable")


async def test_an_unknown_cursor_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/documents", params={"cursor": "_w"})
    assert "cursor" in _assert_error(response, 400, "invalid_request")


async def test_an_s3_that_hangs_ends_at_the_request_s_deadline(
    client: httpx.AsyncClient, cloud: Cloud
) -> None:
    with cloud.fault("GET", MANIFEST, cloud.hang, times=10):
        response = await client.post(
            "/query",
            json={"text": "a"},
            headers={"x-request-deadline": str(int((time.time() + 0.5) * 1000))},
        )
    _assert_error(response, 504, "deadline_exceeded")


async def test_a_damaged_object_is_a_502_that_names_it(
    client: httpx.AsyncClient, s3: Any, bucket_name: str
) -> None:
    await _put(client, {"id": "a", "text": "alpha"})
    s3.put_object(Bucket=bucket_name, Key=MANIFEST, Body=b"damaged")
    response = await client.post("/query", json={"text": "a"})
    assert MANIFEST in _assert_error(response, 502, "bad_dependency")


async def test_every_operation_is_described(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert {(method, path) for path, method, _ in operations} >= {
        ("put", "/documents"),
        ("get", "/documents"),
        ("get", "/documents/{document_id}"),
        ("delete", "/documents/{document_id}"),
        ("post", "/query"),
        ("post", "/embeddings"),
        ("get", "/stats"),
    }
    for path, method, operation in operations:
        assert operation["summary"], path
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer["$ref"].startswith("#/components/responses/"), (path, method, status)
            elif status != "204":
                schema = answer["content"]["application/json"]["schema"]
                assert "$ref" in schema, (path, method, status)
    for name, answer in document["components"]["responses"].items():
        of_gateway_alone = name in {"UriTooLong", "RequestHeaderFieldsTooLarge"}
        body = "/GatewayError" if of_gateway_alone else "/ErrorResponse"
        assert body in str(answer["content"]["application/json"]["schema"]), name


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(alphabet=st.characters(codec=None), max_size=4),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    ["id", "text", "title", "metadata", "documents", "vector", "top_k", "filter"]
                ),
                st.sampled_from(["$and", "$eq", "$in", "texts"]),
                st.text(max_size=2),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=10,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(target=st.sampled_from(["documents", "query", "embeddings"]), body=_JSON)
async def test_no_body_is_answered_500(client: httpx.AsyncClient, target: str, body: Any) -> None:
    response = await client.request(
        "PUT" if target == "documents" else "POST",
        f"/{target}",
        content=json.dumps(body),
        headers=JSON,
    )
    assert response.status_code < 500, response.text


@pytest.mark.parametrize("value", UNENCODABLE)
async def test_a_filter_that_is_no_json_is_refused_by_its_name(
    client: httpx.AsyncClient, value: str
) -> None:
    body = json.dumps({"text": "x", "filter": {"topic": 0}}).replace("0}}", f"{value}}}}}")
    response = await client.post("/query", content=body, headers=JSON)
    assert _assert_error(response, 422, "unprocessable").startswith("filter.topic")


_VALID = {"text": "x", "vector": _VECTOR, "top_k": 3, "filter": {"a": 1}}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=hostile_bodies(_VALID) | hostile_bodies({"text": "x", "filter": {"a": 1}}))
async def test_no_query_is_answered_500(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/query", content=body, headers=JSON)
    assert response.status_code < 500, response.text


# --- Users ----------------------------------------------------------------------------------------


@pytest.fixture
def app(new_s3_store: Callable[..., S3VectorStore]) -> FastAPI:
    scopes = two_keys(
        "PUT /documents",
        "GET /documents",
        "GET /documents/{document_id}",
        "DELETE /documents/{document_id}",
        "POST /query",
    ).model_copy(update={"keys": {"client": ("all",), "service": ("all", "write")}})
    settings = SETTINGS.model_copy(update={"enable_service_api_keys": True, "key_scopes": scopes})
    return create_app(
        settings, store=new_s3_store(), embedder=FakeEmbedder(), key_names=TWO_KEY_NAMES
    )


@pytest.mark.parametrize("headers", FORGED_IDENTITIES)
async def test_a_client_cannot_say_who_the_user_is(app: FastAPI, headers: dict[str, str]) -> None:
    body = {"documents": [{"id": "a", "text": "A text."}]}
    async with calling_with(app, "client", headers=headers) as client:
        for method, path in [
            ("PUT", "/documents"),
            ("GET", "/documents"),
            ("GET", "/documents/a"),
            ("DELETE", "/documents/a"),
        ]:
            refused = await client.request(method, path, json=body if method == "PUT" else None)
            _assert_error(refused, 403, "forged_identity")


async def test_a_users_documents_are_their_own(app: FastAPI) -> None:
    ana, ben = User("ana"), User("ben")
    async with calling_with(app, "service", ana) as client:
        await _put(client, {"id": "notes", "text": "Save more."})
        assert (await client.get("/documents/notes")).json()["is_own"] is True
        found = (await client.post("/query", json={"text": "save"})).json()["passages"]
        assert [(one["document_id"], one["owner"]) for one in found] == [("notes", ana.own)]
    for user in (ben, None):
        async with calling_with(app, "service", user) as client:
            assert (await client.get("/documents")).json()["documents"] == []
            assert (await client.post("/query", json={"text": "save"})).json()["passages"] == []
            _assert_error(await client.get("/documents/notes"), 404, "not_found")
            _assert_error(await client.delete("/documents/notes"), 404, "not_found")


async def test_a_common_document_is_the_curators(app: FastAPI) -> None:
    async with calling_with(app, "service", User("carla", is_curator=True)) as client:
        await _put(client, {"id": "rates", "text": "The rate is 2 %."})
    async with calling_with(app, "service", User("ana")) as client:
        assert (await client.get("/documents/rates")).json()["is_own"] is False
        _assert_error(await client.delete("/documents/rates"), 403, "user_not_permitted")


async def test_an_owner_is_named_by_operators_only(app: FastAPI) -> None:
    ana, curator = User("ana"), User("carla", is_curator=True)
    of_ana, of_ben = {"owner": ana.own}, {"owner": User("ben").own}
    async with calling_with(app, "service", ana) as client:
        await _put(client, {"id": "notes", "text": "Save more."})
        assert (await client.get("/documents", params=of_ana)).status_code == 200
        other = await client.get("/documents", params=of_ben)
        _assert_error(other, 403, "user_not_permitted")
    async with calling_with(app, "service", User("carla", "north", is_curator=True)) as client:
        refused = await client.delete("/documents/notes", params=of_ana)
        _assert_error(refused, 403, "user_not_permitted")
    async with calling_with(app, "client") as client:  # has not the scope write
        refused = await client.get("/documents", params=of_ana)
        _assert_error(refused, 403, "missing_scope")
    for operator in (curator, None):
        async with calling_with(app, "service", operator) as client:
            listed = (await client.get("/documents", params=of_ana)).json()["documents"]
            assert [(one["id"], one["is_own"]) for one in listed] == [("notes", False)]
            assert (await client.get("/documents", params=of_ben)).json()["documents"] == []
    async with calling_with(app, "service") as client:
        _assert_error(await client.delete("/documents/notes?owner=u-1"), 422, "unprocessable")
        assert (await client.delete("/documents/notes", params=of_ana)).status_code == 204
        gone = await client.delete("/documents/notes", params=of_ana)
        _assert_error(gone, 404, "not_found")
