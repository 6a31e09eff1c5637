"""The HTTP interface on a real S3 server: jobs, bad input, and an S3 that fails."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.app import create_app
from runner.office.tests.files import OFFICE_TYPE, shape, slides
from runner.parts import S3PartCounts
from runner.store import S3JobStore
from runner.tests.conftest import MakeSettings, Runner, client_of
from runner.tests.fakes import FakeSink, FaultyS3, make_pdf
from runner.uploads import S3Uploads
from shared.aws.bucket import Bucket
from shared.aws.clients import aws_client
from shared.documents import ContentType
from shared.errors import Unavailable
from shared.request import user
from shared.request.user import User
from shared.testing import FORGED_IDENTITIES, TWO_KEY_NAMES, app_client, calling_with, two_keys

pytestmark = pytest.mark.anyio

MakeApp = Callable[..., FastAPI]
ONE = {"documents": [{"id": "a", "text": "Some text."}]}


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


@pytest.fixture
def make_app(s3: Any, bucket: str, make_settings: MakeSettings, sink: FakeSink) -> MakeApp:
    def make(client: Any = None, **values: Any) -> FastAPI:
        objects = Bucket(bucket, lambda: client or s3)
        return create_app(
            make_settings(**values),
            jobs=S3JobStore(objects),
            uploads=S3Uploads(objects),
            counts=S3PartCounts(objects),
            sink=sink,
            key_names=TWO_KEY_NAMES,
        )

    return make


@pytest.fixture
async def client(make_app: MakeApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app_client(make_app()) as client:
        yield client


def check_error(answer: httpx.Response, status: int, words: str = "") -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "detail", "timestamp", "request_id"}
    assert words in body["detail"]


async def post_json(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    """Send JSON that httpx refuses to encode: NaN and lone surrogates."""
    headers = {"content-type": "application/json"}
    return await client.post("/jobs", content=json.dumps(body), headers=headers)


async def test_documents_go_in_and_a_run_ingests_them(
    client: httpx.AsyncClient, sink: FakeSink
) -> None:
    page = "<title>Funds</title><p>Cheap and broad."
    body = {
        "documents": [
            {"id": "plain", "text": "Plain.", "title": "T", "metadata": {"year": 2026, "x": ["y"]}},
            {"id": "page", "text": page, "content_type": "text/html"},
            {
                "id": "book",
                "data": base64.b64encode(make_pdf(["one", "two"])).decode(),
                "content_type": "application/pdf",
            },
            {"id": "rates", "text": "Account,Rate\nSaver,4 %\n", "content_type": "text/csv"},
            {
                "id": "talk",
                "data": base64.b64encode(slides(shape("Fees", "title"))).decode(),
                "content_type": f"{OFFICE_TYPE}.presentationml.presentation",
            },
        ]
    }
    made = await client.post("/jobs", json=body)
    assert made.status_code == 202
    assert made.headers["location"] == f"jobs/{made.json()['id']}"
    job = made.json()
    assert (job["state"], job["total"], job["done"], job["failed"]) == ("pending", 5, 0, 0)
    assert job["created_at"].endswith("Z")

    ran = await client.post(f"/jobs/{job['id']}/run")
    assert ran.status_code == 200
    assert "retry-after" not in ran.headers
    assert (ran.json()["state"], ran.json()["done"], ran.json()["errors"]) == ("succeeded", 5, [])
    assert (await client.get(f"/jobs/{job['id']}")).json() == ran.json()
    assert sink.documents == {
        "plain": {
            "id": "plain", "title": "T", "text": "Plain.", "metadata": {"year": 2026, "x": ["y"]}
        },
        "page": {"id": "page", "title": "Funds", "text": "Cheap and broad."},
        "book": {"id": "book", "text": "one", "metadata": {"first_page": 1, "last_page": 1}},
        "book:p2": {
            "id": "book:p2", "text": "two", "metadata": {"first_page": 2, "last_page": 2}
        },
        "rates": {
            "id": "rates", "text": "| Account | Rate |\n| --- | --- |\n| Saver | 4 % |"
        },
        "talk": {
            "id": "talk", "title": "Fees", "text": "# Fees",
            "metadata": {"first_page": 1, "last_page": 1},
        },
    }  # fmt: skip


async def test_a_job_survives_its_instance(make_app: MakeApp, sink: FakeSink) -> None:
    async with app_client(make_app()) as one:
        job = (await one.post("/jobs", json=ONE)).json()
    async with app_client(make_app()) as another:
        assert (await another.post(f"/jobs/{job['id']}/run")).json()["state"] == "succeeded"
    assert "a" in sink.documents


async def test_everything_under_a_prefix_is_ingested(
    client: httpx.AsyncClient, runner: Runner, sink: FakeSink
) -> None:
    runner.upload({"uploads/x/a.txt": "a", "uploads/x/deep/b.md": "# B", "uploads/y/c.txt": "c"})
    runner.s3.put_object(Bucket=runner.bucket, Key="uploads/x/folder/", Body=b"")
    job = (await client.post("/jobs", json={"prefix": "uploads/x/"})).json()
    assert job["total"] == 2
    assert (await client.post(f"/jobs/{job['id']}/run")).json()["done"] == 2
    assert {one["metadata"]["source"] for one in sink.documents.values()} == {
        "uploads/x/a.txt", "uploads/x/deep/b.md",
    }  # fmt: skip


async def test_a_prefix_without_or_with_too_many_documents_is_refused(
    make_app: MakeApp, runner: Runner
) -> None:
    runner.upload({f"uploads/{number}.txt": "x" for number in range(4)})
    async with app_client(make_app(max_job_documents=3)) as client:
        check_error(await client.post("/jobs", json={"prefix": "uploads/none/"}), 422, "nothing")
        check_error(await client.post("/jobs", json={"prefix": "uploads/"}), 422, "more than 3")


async def test_the_same_key_and_body_give_the_same_job(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "abc-1"}
    first = await client.post("/jobs", json=ONE, headers=headers)
    again = await client.post("/jobs", json=ONE, headers=headers)
    assert again.status_code == 202
    assert again.json() == first.json()

    await client.post(f"/jobs/{first.json()['id']}/run")
    late = await client.post("/jobs", json=ONE, headers=headers)
    assert (late.json()["id"], late.json()["state"]) == (first.json()["id"], "succeeded")

    other = {"documents": [{"id": "a", "text": "Other text."}]}
    check_error(await client.post("/jobs", json=other, headers=headers), 409, "new key")
    fresh = await client.post("/jobs", json=ONE)
    assert fresh.json()["id"] != first.json()["id"]


async def test_a_repeated_request_gets_its_job_although_the_uploads_are_gone(
    client: httpx.AsyncClient, runner: Runner
) -> None:
    runner.upload({"uploads/x/a.txt": "a"})
    request: dict[str, Any] = {
        "json": {"prefix": "uploads/x/"},
        "headers": {"Idempotency-Key": "abc-2"},
    }
    first = await client.post("/jobs", **request)
    runner.s3.delete_object(Bucket=runner.bucket, Key="uploads/x/a.txt")
    assert (await client.post("/jobs", **request)).json() == first.json()


async def test_of_many_requests_with_one_key_at_once_all_get_the_same_job(
    client: httpx.AsyncClient, runner: Runner
) -> None:
    headers = {"Idempotency-Key": "abc-3"}
    answers = await asyncio.gather(
        *(client.post("/jobs", json=ONE, headers=headers) for _ in range(8))
    )
    assert len({answer.text for answer in answers}) == 1
    listing = runner.s3.list_objects_v2(Bucket=runner.bucket, Prefix="jobs/")
    assert listing["KeyCount"] == 3  # the job, its documents, its place in the index


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256])
async def test_a_malformed_key_is_refused(key: str, client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": key.encode()}
    check_error(await client.post("/jobs", json=ONE, headers=headers), 422)  # type: ignore[arg-type]


async def test_delete_cancels_an_open_job_and_removes_an_ended_one(
    client: httpx.AsyncClient, runner: Runner
) -> None:
    job = (await client.post("/jobs", json=ONE)).json()
    cancelled = await client.delete(f"/jobs/{job['id']}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await client.post(f"/jobs/{job['id']}/run")).json()["state"] == "cancelled"

    removed = await client.delete(f"/jobs/{job['id']}")
    assert (removed.status_code, removed.content) == (204, b"")
    check_error(await client.get(f"/jobs/{job['id']}"), 404)
    assert runner.s3.list_objects_v2(Bucket=runner.bucket)["KeyCount"] == 0


async def test_open_jobs_are_listed_in_pages(client: httpx.AsyncClient) -> None:
    jobs = [(await client.post("/jobs", json=ONE)).json() for _ in range(5)]
    await client.post(f"/jobs/{jobs[2]['id']}/run")

    first = (await client.get("/jobs", params={"state": "open", "limit": 3})).json()
    assert [job["id"] for job in first["jobs"]] == [jobs[i]["id"] for i in (0, 1, 3)]
    second = (await client.get("/jobs", params={"state": "open", "cursor": first["cursor"]})).json()
    assert [job["id"] for job in second["jobs"]] == [jobs[4]["id"]]
    assert (second["cursor"], second["unreadable"]) == (None, [])
    assert len((await client.get("/jobs")).json()["jobs"]) == 5


async def test_a_run_of_a_job_that_waits_says_for_how_long(
    client: httpx.AsyncClient, sink: FakeSink
) -> None:
    def fail(documents: object) -> None:
        raise Unavailable("s3vector is away", retry_after=40)

    sink.before_put = fail
    job = (await client.post("/jobs", json=ONE)).json()
    ran = await client.post(f"/jobs/{job['id']}/run")
    assert ran.status_code == 200
    assert ran.headers["retry-after"] == "40"
    assert ran.json()["waiting"]["reason"] == "s3vector is away"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("job_id", ["unknown-job", "x", "..%2F..%2Fstate", "%00", "A" * 2000])
async def test_an_unknown_job_is_not_found(
    method: str, job_id: str, client: httpx.AsyncClient
) -> None:
    path = f"/jobs/{job_id}/run" if method == "POST" else f"/jobs/{job_id}"
    check_error(await client.request(method, path), 404)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "either documents or prefix"),
        ({"documents": [], "prefix": None}, "documents"),
        ({**ONE, "prefix": "uploads/"}, "either"),
        ({**ONE, "priority": 1}, "priority"),
        ({"documents": ONE["documents"] * 2}, "twice"),
        ({"documents": ONE["documents"] * 1001}, "documents"),
        ({"prefix": "jobs/"}, "uploads/"),
        ({"prefix": "uploads/../jobs/"}, "plain path"),
        ({"prefix": "uploads/\x00"}, "plain path"),
        ({"prefix": "uploads/\ud800"}, "Unicode"),
        ({"prefix": "uploads/" + "x" * 600}, "prefix"),
        ({"prefix": 3}, "prefix"),
        ([], ""),
        ("text", ""),
        (None, ""),
    ],
)
async def test_a_wrong_body_is_refused(body: Any, words: str, client: httpx.AsyncClient) -> None:
    check_error(await post_json(client, body), 422, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "a/b"}, "id"),
        ({"id": "a..b"}, ".."),
        ({"id": ".a"}, "id"),
        ({"id": "a:p2"}, "parts"),
        ({"id": "x" * 129}, "id"),
        ({"id": "ü"}, "id"),
        ({"id": None}, "id"),
        ({"text": ""}, "text"),
        ({"text": " \n"}, "blank"),
        ({"text": "x" * 60_000}, "50000"),
        ({"text": "\ud800"}, "Unicode"),
        ({"text": 5}, "text"),
        ({"text": None}, "one of text, data and upload"),
        ({"data": "aGFsbG8="}, "one of text, data and upload"),
        ({"text": None, "upload": "../x"}, "upload"),
        ({"text": None, "data": "not base64!"}, "base64"),
        ({"content_type": "application/pdf"}, "base64"),
        ({"content_type": f"{OFFICE_TYPE}.spreadsheetml.sheet"}, "base64"),
        ({"content_type": "image/png"}, "content_type"),
        ({"title": ""}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": " "}, "blank"),
        ({"metadata": {"a": float("nan")}}, "finite"),
        ({"metadata": {"a": float("inf")}}, "finite"),
        ({"metadata": {"a": 2**60}}, "finite"),
        ({"metadata": {"a": {"b": 1}}}, "metadata"),
        ({"metadata": {"a": []}}, "metadata"),
        ({"metadata": {"a": [1]}}, "metadata"),
        ({"metadata": {"a": None}}, "metadata"),
        ({"metadata": {"_a": 1}}, "key"),
        ({"metadata": {"a": "\ud800"}}, "Unicode"),
        ({"metadata": {f"k{number}": 1 for number in range(41)}}, "40 keys"),
        ({"metadata": {"a": "x" * 2100}}, "2000 bytes"),
        ({"metadata": []}, "metadata"),
        (
            {
                "text": None,
                "data": "aGFsbG8=",
                "content_type": "application/pdf",
                "metadata": {f"k{number}": 1 for number in range(39)},
            },
            "first_page and last_page",
        ),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_a_wrong_document_is_refused_by_name(
    change: dict[str, Any], words: str, client: httpx.AsyncClient
) -> None:
    body = {"documents": [{"id": "a", "text": "Some text.", **change}]}
    check_error(await post_json(client, body), 422, words)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"documents": \xc3\x28}', b""])
async def test_a_body_that_is_no_json_is_refused(content: bytes, client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/jobs", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    check_error(answer, answer.status_code)


async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/jobs", content=b"x" * (7 * 2**20))
    check_error(answer, 413, "bytes")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "state=closed", "cursor=../x", "cursor=%00"]
)
async def test_a_wrong_query_is_refused(query: str, client: httpx.AsyncClient) -> None:
    check_error(await client.get(f"/jobs?{query}"), 422)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)
_documents = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(max_size=8) | _json,
            "text": st.text(max_size=20) | _json,
            "data": st.text(max_size=20) | _json,
            "content_type": st.sampled_from(get_args(ContentType)),
            "title": _json,
            "metadata": st.dictionaries(st.text(max_size=5), _json, max_size=3) | _json,
        },
    ),
    max_size=3,
)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.fixed_dictionaries({"documents": _documents | _json}) | _json)
async def test_no_body_is_answered_with_a_500(body: Any, client: httpx.AsyncClient) -> None:
    answer = await post_json(client, body)
    if answer.status_code == 202:
        ran = await client.post(f"/jobs/{answer.json()['id']}/run")
        assert ran.json()["state"] in {"succeeded", "partial", "failed"}
    else:
        check_error(answer, 422)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("SlowDown", 503), ("AccessDenied", 502), ("ServiceUnavailable", 503), ("hang", 503)],
)
async def test_a_failing_s3_gets_its_status_and_loses_nothing(
    fault: str,
    status: int,
    make_app: MakeApp,
    client: httpx.AsyncClient,
    faulty_s3: FaultyS3,
) -> None:
    job = (await client.post("/jobs", json=ONE)).json()
    faulty_s3.fault = lambda method, path: fault
    async with app_client(make_app(client_of(faulty_s3.url, read_timeout=0.3))) as failing:
        for method, path in [
            ("GET", f"/jobs/{job['id']}"),
            ("POST", f"/jobs/{job['id']}/run"),
            ("GET", "/jobs?state=open"),
            ("DELETE", f"/jobs/{job['id']}"),
        ]:
            check_error(await failing.request(method, path), status, "Could not")
        check_error(await failing.post("/jobs", json=ONE), status)
        check_error(await failing.get("/readiness"), 503, "jobs_bucket")
        assert (await failing.get("/health")).status_code == 200
    assert (await client.get(f"/jobs/{job['id']}")).json() == job


async def test_a_hanging_s3_is_answered_within_the_requests_time(
    make_app: MakeApp, faulty_s3: FaultyS3
) -> None:
    faulty_s3.fault = lambda method, path: "hang"
    # Without the deadline S3's own time-out would end the call, with another error.
    async with app_client(make_app(client_of(faulty_s3.url, read_timeout=20))) as client:
        ends = str(int((time.time() + 1) * 1000))
        answer = await client.get("/jobs/some-job-id", headers={"x-request-deadline": ends})
        check_error(answer, 504, "look the job up")
        faulty_s3.released.set()


async def test_a_damaged_job_is_a_502_that_names_it(
    client: httpx.AsyncClient, runner: Runner
) -> None:
    job = (await client.post("/jobs", json=ONE)).json()
    key = f"jobs/state/{job['id']}.json"
    runner.s3.put_object(Bucket=runner.bucket, Key=key, Body=b'{"id":')
    for method, path in [("GET", ""), ("POST", "/run"), ("DELETE", "")]:
        check_error(await client.request(method, f"/jobs/{job['id']}{path}"), 502, key)
    listed = (await client.get("/jobs?state=open")).json()
    assert (listed["jobs"], listed["unreadable"]) == ([], [job["id"]])
    assert runner.s3.get_object(Bucket=runner.bucket, Key=key)["Body"].read() == b'{"id":'


async def test_openapi_describes_every_operation(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert {"POST /jobs", "GET /jobs", "GET /jobs/{job_id}", "DELETE /jobs/{job_id}"} < set(
        operations
    )
    for name, operation in operations.items():
        assert operation["summary"], name
        good = [code for code in operation["responses"] if code.startswith("2") and code != "204"]
        for code in good:
            schema = operation["responses"][code]["content"]["application/json"]["schema"]
            assert "$ref" in schema, name
        for code, response in operation["responses"].items():
            if code.startswith(("4", "5")):
                assert response["$ref"].startswith("#/components/responses/"), (name, code)
    for name, answer in document["components"]["responses"].items():
        of_gateway_alone = name in {"UriTooLong", "RequestHeaderFieldsTooLarge"}
        body = "/GatewayError" if of_gateway_alone else "/ErrorResponse"
        assert body in str(answer["content"]["application/json"]["schema"]), name
    assert set(operations["POST /jobs/{job_id}/run"]["responses"]) >= {"200", "404", "502", "503"}


# --- Users ----------------------------------------------------------------------------------------

ANA, BEN, CARLA = User("ana"), User("ben"), User("carla", is_curator=True)


@pytest.fixture
def app_with_keys(make_app: MakeApp) -> FastAPI:
    scopes = two_keys(
        "GET /jobs",
        "POST /jobs",
        "GET /jobs/{job_id}",
        "DELETE /jobs/{job_id}",
        "POST /jobs/{job_id}/run",
        "POST /uploads",
    )
    return make_app(enable_service_api_keys=True, key_scopes=scopes)


@pytest.mark.parametrize("headers", FORGED_IDENTITIES)
async def test_a_client_cannot_say_who_the_user_is(
    app_with_keys: FastAPI, headers: dict[str, str]
) -> None:
    async with calling_with(app_with_keys, "client", headers=headers) as client:
        for answer in (
            await client.post("/jobs", json=ONE),
            await client.get("/jobs"),
            await client.post("/jobs/job-12345678/run"),
        ):
            assert (answer.status_code, answer.json()["error"]) == (403, "forged_identity")


async def test_a_job_is_its_creators_and_the_operators(app_with_keys: FastAPI) -> None:
    key = {"Idempotency-Key": "same"}
    async with calling_with(app_with_keys, "service", ANA) as client:
        job_id = (await client.post("/jobs", json=ONE, headers=key)).json()["id"]
        assert [one["id"] for one in (await client.get("/jobs")).json()["jobs"]] == [job_id]
    async with calling_with(app_with_keys, "service", BEN) as client:
        other = (await client.post("/jobs", json=ONE, headers=key)).json()["id"]
        assert other != job_id
        assert [one["id"] for one in (await client.get("/jobs")).json()["jobs"]] == [other]
        check_error(await client.get(f"/jobs/{job_id}"), 404)
        check_error(await client.post(f"/jobs/{job_id}/run"), 404)
        check_error(await client.delete(f"/jobs/{job_id}"), 404)
    async with calling_with(app_with_keys, "service") as client:
        listed = (await client.get("/jobs", params={"state": "open"})).json()["jobs"]
        assert {one["id"] for one in listed} == {job_id, other}


async def test_whoever_runs_a_job_its_documents_are_its_creators(
    app_with_keys: FastAPI, sink: FakeSink
) -> None:
    stored_for: list[User | None] = []
    sink.before_put = lambda documents: stored_for.append(user.current())
    for creator in (ANA, CARLA, None):
        async with calling_with(app_with_keys, "service", creator) as client:
            job_id = (await client.post("/jobs", json=ONE)).json()["id"]
        async with calling_with(app_with_keys, "service") as client:
            assert (await client.post(f"/jobs/{job_id}/run")).json()["state"] == "succeeded"
    assert stored_for == [ANA, CARLA, None]


async def test_only_curators_ingest_uploads(app_with_keys: FastAPI, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="uploads/a.txt", Body=b"A text.")
    for creator, status in ((ANA, 403), (CARLA, 202), (None, 202)):
        async with calling_with(app_with_keys, "service", creator) as client:
            answer = await client.post("/jobs", json={"prefix": "uploads/"})
            assert answer.status_code == status


async def test_each_owner_has_counts_of_parts(s3: Any, bucket: str) -> None:
    counts = S3PartCounts(Bucket(bucket, lambda: s3))
    for number, writer in enumerate((None, ANA, BEN), start=2):
        with user.acting_for(writer):
            counts.put("book", number)
    for number, writer in enumerate((None, ANA, BEN), start=2):
        with user.acting_for(writer):
            assert counts.get("book") == number


# --- Uploads --------------------------------------------------------------------------------------


async def upload(client: httpx.AsyncClient, content: bytes, content_type: str) -> str:
    """Upload a file as a client does, and return the upload's id."""
    digest = hashlib.sha256(content).hexdigest()
    body = {"content_type": content_type, "size": len(content), "sha256": digest}
    answer = await client.post("/uploads", json=body)
    assert answer.status_code == 201, answer.text
    where = answer.json()
    async with httpx.AsyncClient(trust_env=False) as s3:
        put = await s3.request(
            where["method"], where["url"], content=content, headers=where["headers"]
        )
    assert put.status_code == 200, put.text
    return str(where["id"])


async def test_an_uploaded_file_is_ingested_as_the_document_that_names_it(
    client: httpx.AsyncClient, sink: FakeSink
) -> None:
    document = {
        "id": "page",
        "upload": await upload(client, b"<title>Funds</title><p>Cheap.", "text/html"),
        "content_type": "text/html",
        "metadata": {"year": 2026},
    }
    job = await client.post("/jobs", json={"documents": [document]})
    assert job.status_code == 202, job.text
    done = (await client.post(f"/jobs/{job.json()['id']}/run")).json()
    assert (done["state"], done["done"]) == ("succeeded", 1)
    stored = sink.documents["page"]
    assert (stored["title"], stored["metadata"]) == ("Funds", {"year": 2026})
    assert "Cheap." in stored["text"]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
async def test_a_url_takes_one_size_and_one_type_for_a_short_time(
    region: str, make_app: MakeApp, aws: Any
) -> None:
    async with app_client(make_app(aws_client("s3", region=region))) as client:
        body = {"content_type": "text/plain", "size": 12, "sha256": "00" * 32}
        answer = await client.post("/uploads", json=body)
    where = answer.json()
    query = dict(httpx.URL(where["url"]).params)
    # Version 2 of the signature, botocore's default for URLs in us-east-1, signs no size.
    signed = "content-length;content-type;host;x-amz-checksum-sha256"
    assert query["X-Amz-SignedHeaders"] == signed
    assert query["X-Amz-Expires"] == "600"
    assert where["headers"] == {
        "content-type": "text/plain",
        "content-length": "12",
        "x-amz-checksum-sha256": f"{'A' * 43}=",
    }


async def test_a_file_over_the_limit_gets_no_url(client: httpx.AsyncClient) -> None:
    body = {"content_type": "application/pdf", "size": 21 * 2**20, "sha256": "00" * 32}
    check_error(await client.post("/uploads", json=body), 413, "20,971,520 bytes")


@pytest.mark.parametrize(
    "body",
    [
        {"content_type": "image/png"},
        {"size": 0},
        {"size": None},
        {"sha256": "../x"},
        {"key": "jobs/state/x.json"},
    ],
)
async def test_a_wrong_upload_is_refused(body: Any, client: httpx.AsyncClient) -> None:
    valid = {"content_type": "text/plain", "size": 1, "sha256": "00" * 32}
    check_error(await client.post("/uploads", json=valid | body), 422)


async def test_a_file_that_is_sent_again_is_the_same_upload(client: httpx.AsyncClient) -> None:
    first = await upload(client, b"Text.", "text/plain")
    body = {"content_type": "text/plain", "size": 5, "sha256": first}
    again = (await client.post("/uploads", json=body)).json()
    assert (again["id"], again["is_stored"]) == (first, True)


async def test_an_object_larger_than_a_document_may_be_is_not_read(
    client: httpx.AsyncClient, s3: Any, bucket: str
) -> None:
    size = 20 * 2**20 + 1
    s3.put_object(Bucket=bucket, Key=f"incoming/operator/{'0' * 64}", Body=b"x" * size)
    body = {"documents": [{"id": "a", "upload": "0" * 64}]}
    check_error(await client.post("/jobs", json=body), 413, "split it")


async def test_an_upload_is_its_users(app_with_keys: FastAPI) -> None:
    async with calling_with(app_with_keys, "service", ANA) as client:
        body = {"documents": [{"id": "a", "upload": await upload(client, b"Text.", "text/plain")}]}
        assert (await client.post("/jobs", json=body)).status_code == 202
    for other in (BEN, CARLA, None):
        async with calling_with(app_with_keys, "service", other) as client:
            check_error(await client.post("/jobs", json=body), 422, "There is no upload")


async def test_a_prefix_never_includes_what_callers_uploaded(client: httpx.AsyncClient) -> None:
    await upload(client, b"Text.", "text/plain")
    check_error(await client.post("/jobs", json={"prefix": "uploads/"}), 422, "nothing under")
    check_error(await client.post("/jobs", json={"prefix": "incoming/"}), 422, "uploads/")
