"""The gateway on a real socket, with real functions: API Gateway's rules and error answers."""

import asyncio
import http.client
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from local.compute.logs import LogFolder
from local.conftest import GatewayUnderTest, Pools, rest_api, serve, serve_gateway
from local.net.serving import Receive, Scope, Send, read_body, respond

pytestmark = pytest.mark.anyio

OK = {"statusCode": 200}
ROOT = "1-67891233-abcdef012345678912345678"


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """A web service that answers with the request it got."""
    body = await read_body(receive, limit_bytes=20_000_000)
    if scope["path"] == "/hang":
        await asyncio.sleep(30)
    content = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "headers": {name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
        "names": [name.decode() for name, _ in scope["headers"]],
        "body": len(body),
    }
    headers = [("content-type", "application/json"), ("server", "site"), ("x-own", "1")]
    await respond(send, 418, headers, json.dumps(content).encode())


@pytest.fixture(scope="module")
async def tested(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewayUnderTest]:
    pools = Pools(LogFolder(tmp_path_factory.mktemp("gateway") / "logs"))
    pools.pool("echo", name="test-echo")
    pools.pool("web", name="test-web", timeout_seconds=3.0)
    pools.pool("web", name="test-narrow", reserved_concurrency=1)
    async with serve(site) as site_url, serve_gateway(pools, rest_api()) as under_test:
        under_test.gateway.stage_variables["site_url"] = site_url
        yield under_test
    await pools.stop()


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.text, answer.headers["x-amzn-errortype"]


async def test_a_request_becomes_an_event_and_the_result_an_answer(
    tested: GatewayUnderTest,
) -> None:
    answer = await tested.client.post("/echo/a/b?x=1", content=b'{"k": 1}')
    body = answer.json()
    event = body["event"]
    assert answer.status_code == 200
    assert event["path"] == "/echo/a/b"
    assert event["httpMethod"] == "POST"
    assert event["pathParameters"] == {"proxy": "a/b"}
    assert event["body"] == '{"k": 1}'
    assert event["requestContext"]["identity"]["apiKey"] == "secret-caller"
    assert event["requestContext"]["requestId"] == answer.headers["x-amzn-requestid"]
    hop = tested.hops.latest(1)[0]
    assert (hop.service, hop.caller, hop.status) == ("echo", "caller", 200)
    assert hop.request_id == answer.headers["x-amzn-requestid"]
    assert hop.target_request_id == body["request_id"]


async def test_every_answer_has_the_gateways_ids(tested: GatewayUnderTest) -> None:
    answer = await tested.client.get("/echo")
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-amzn-requestid"])
    assert answer.headers["x-amz-apigw-id"]
    assert re.fullmatch(r"Root=1-[0-9a-f-]{33};Sampled=1", answer.headers["x-amzn-trace-id"])


async def test_the_callers_trace_is_continued(tested: GatewayUnderTest) -> None:
    sent = f"Root={ROOT};Parent=463ac35c9f6413ad;Sampled=1"
    answer = await tested.client.get("/echo", headers={"x-amzn-trace-id": sent})
    assert answer.headers["x-amzn-trace-id"] == f"Root={ROOT};Sampled=1"
    # The event is a child of the gateway's span, the invocation a child of the function's.
    passed_on = answer.json()["event"]["headers"]["X-Amzn-Trace-Id"]
    parents = {value.split(";")[1] for value in (sent, passed_on, answer.json()["trace"])}
    assert len(parents) == 3
    for value in (passed_on, answer.json()["trace"]):
        assert (value.split(";")[0], value.split(";")[2]) == (f"Root={ROOT}", "Sampled=1")
    assert tested.hops.of_trace(ROOT)


@pytest.mark.parametrize("key", ["", "wrong", "secret-disabled", "secret-planless"])
async def test_a_missing_wrong_disabled_or_planless_key_is_forbidden(
    tested: GatewayUnderTest, key: str
) -> None:
    answer = await tested.client.get("/echo", headers={"x-api-key": key})
    assert refusal(answer) == (403, '{"message":"Forbidden"}', "ForbiddenException")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/", "/nothing", "/echoes", "/lost"])
async def test_an_unknown_path_is_a_missing_authentication_token(
    tested: GatewayUnderTest, path: str
) -> None:
    answer = await tested.client.get(path)
    expected = '{"message":"Missing Authentication Token"}'
    assert refusal(answer) == (403, expected, "MissingAuthenticationTokenException")


async def test_an_unknown_stage_is_forbidden(tested: GatewayUnderTest) -> None:
    for path in ("/", "/prod/echo", "/development/echo"):
        answer = await tested.client.get(f"{tested.url}{path}")
        assert refusal(answer)[:2] == (403, '{"message":"Forbidden"}')


async def test_a_used_up_quota_is_answered_with_limit_exceeded(tested: GatewayUnderTest) -> None:
    headers = {"x-api-key": "secret-thrifty"}
    answers = [await tested.client.get("/echo", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    expected = (429, '{"message":"Limit Exceeded"}', "LimitExceededException")
    assert refusal(answers[-1]) == expected


async def test_a_throttled_key_is_answered_with_too_many_requests(tested: GatewayUnderTest) -> None:
    headers = {"x-api-key": "secret-slow"}
    answers = [await tested.client.get("/echo", headers=headers) for _ in range(2)]
    expected = (429, '{"message":"Too Many Requests"}', "TooManyRequestsException")
    assert refusal(answers[-1]) == expected


@pytest.mark.parametrize("origin", ["https://app.example", "https://b.example"])
async def test_a_preflight_request_of_a_configured_origin_needs_no_key(
    tested: GatewayUnderTest, origin: str
) -> None:
    headers = {"x-api-key": "", "origin": origin, "access-control-request-method": "POST"}
    answer = await tested.client.options("/echo/x", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.content == b""


async def test_a_page_of_a_configured_origin_may_call(tested: GatewayUnderTest) -> None:
    answer = await tested.client.get("/echo/x", headers={"origin": "https://b.example"})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil"])
async def test_a_page_of_another_origin_may_not_call(
    tested: GatewayUnderTest, method: str, origin: str
) -> None:
    answer = await tested.client.request(method, "/echo/x", headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_ten_megabytes_is_too_long(
    tested: GatewayUnderTest, chunked: bool
) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1)

    async def chunks() -> AsyncIterator[bytes]:
        yield body

    answer = await tested.client.post("/site/x", content=chunks() if chunked else body)
    expected = (413, '{"message":"Request Too Long"}', "RequestTooLargeException")
    assert refusal(answer) == expected


async def test_a_client_that_sends_the_whole_body_before_it_reads_gets_the_refusal(
    tested: GatewayUnderTest,
) -> None:
    def post() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(tested.url.removeprefix("http://"))
        try:
            headers = {"x-api-key": "secret-caller"}
            connection.request("POST", "/dev/site/x", body=b"x" * 30_000_000, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    assert await asyncio.to_thread(post) == (413, b'{"message":"Request Too Long"}')


async def test_ten_megabytes_pass_to_a_web_service(tested: GatewayUnderTest) -> None:
    answer = await tested.client.post("/site/x", content=b"x" * (10 * 1024 * 1024))
    assert answer.json()["body"] == 10 * 1024 * 1024


async def test_an_event_over_six_megabytes_is_too_long_for_a_function(
    tested: GatewayUnderTest,
) -> None:
    answer = await tested.client.post("/echo", content=b"x" * (6 * 1024 * 1024))
    assert refusal(answer)[0] == 413


@pytest.mark.parametrize(
    "order",
    [
        {"raise": "broken"},
        {"exit": 1},
        {"sleep": 20},
        {"size": 7_000_000},
        {"answer": "not a proxy answer"},
        {"answer": {"statusCode": 200, "extra": 1}},
    ],
    ids=["exception", "crash", "timeout", "over 6 MB", "malformed", "unknown key"],
)
async def test_a_failed_function_is_a_502(
    tested: GatewayUnderTest, order: dict[str, object]
) -> None:
    answer = await tested.client.post("/web", json=order)
    expected = (502, '{"message":"Internal server error"}', "InternalServerErrorException")
    assert refusal(answer) == expected
    again = await tested.client.post("/web", json={"answer": {"statusCode": 204}})
    assert again.status_code == 204


async def test_a_throttled_function_is_a_500(tested: GatewayUnderTest) -> None:
    order = {"sleep": 0.6, "answer": {"statusCode": 200}}
    await tested.client.post("/narrow", json={"answer": {"statusCode": 200}})
    answers = await asyncio.gather(*(tested.client.post("/narrow", json=order) for _ in range(2)))
    answers.sort(key=lambda answer: answer.status_code)
    assert answers[0].status_code == 200
    expected = (500, '{"message":"Internal server error"}', "InternalServerErrorException")
    assert refusal(answers[1]) == expected


async def test_an_integration_without_its_function_is_a_500(tested: GatewayUnderTest) -> None:
    assert refusal(await tested.client.get("/lost/x"))[0] == 500


async def test_the_gateway_times_out_while_a_slow_function_keeps_running(tmp_path: Path) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    pool = pools.pool("web", name="test-slow", max_environments=1)
    await pool.warm()
    before = pool.pids
    async with serve_gateway(pools, rest_api(integration_timeout_seconds=0.4)) as tested:
        answer = await tested.client.post("/slow", json={"sleep": 1.5})
        expected = (504, '{"message":"Endpoint request timed out"}')
        assert refusal(answer)[:2] == expected
        # The function was not interrupted: its only environment serves a later request.
        async with asyncio.timeout(60):
            while (await tested.client.post("/slow", json={"answer": OK})).status_code == 504:
                pass
        assert pool.pids == before
    await pools.stop()


async def test_a_function_still_times_out_after_the_gateway_has_timed_out(
    tmp_path: Path,
) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    pool = pools.pool("web", name="test-slow", timeout_seconds=1.0, max_environments=1)
    await pool.warm()
    async with serve_gateway(pools, rest_api(integration_timeout_seconds=0.2)) as tested:
        before = pool.pids
        assert (await tested.client.post("/slow", json={"sleep": 30})).status_code == 504
        async with asyncio.timeout(60):
            while pool.pids == before:
                await asyncio.sleep(0.02)
    await pools.stop()


async def test_a_web_service_gets_no_prefix_and_the_mapped_headers(
    tested: GatewayUnderTest,
) -> None:
    sent = {"x-amzn-trace-id": f"Root={ROOT}", "x-origin-verify": "forged", "x-request-id": "r"}
    answer = await tested.client.get("/site/jobs/1?state=open&state=done", headers=sent)
    content = answer.json()
    headers = content["headers"]
    assert answer.status_code == 418
    assert (content["path"], content["query"]) == ("/jobs/1", "state=open&state=done")
    assert headers["x-origin-verify"] == "origin-secret"
    assert len(content["names"]) == len(set(content["names"]))
    assert headers["x-fixed"] == "as it is"
    assert headers["x-amzn-requestid"] == answer.headers["x-amzn-requestid"]
    assert headers["x-amzn-trace-id"].startswith(f"Root={ROOT};Parent=")
    assert headers["x-request-id"] == "r"
    assert answer.headers["x-own"] == "1"
    assert answer.headers["x-amzn-remapped-server"] == "site"


async def test_a_web_service_gets_the_bytes_of_a_header_that_is_not_ascii(
    tested: GatewayUnderTest,
) -> None:
    answer = await tested.client.get("/site/x", headers=[(b"idempotency-key", b"\xc3\xa9\xff")])
    assert answer.status_code == 418
    assert answer.json()["headers"]["idempotency-key"].encode("latin-1") == b"\xc3\xa9\xff"


async def test_a_web_service_that_hangs_is_a_504(tmp_path: Path) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    api = rest_api(integration_timeout_seconds=0.3)
    async with serve(site) as url, serve_gateway(pools, api) as tested:
        tested.gateway.stage_variables["site_url"] = url
        answer = await tested.client.get("/site/hang")
        assert refusal(answer)[:2] == (504, '{"message":"Endpoint request timed out"}')


async def test_an_unreachable_web_service_is_a_504(tmp_path: Path) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    async with serve_gateway(pools, rest_api()) as tested:
        tested.gateway.stage_variables["site_url"] = "http://127.0.0.1:1"
        answer = await tested.client.get("/site/x")
        expected = '{"message":"Network error communicating with endpoint"}'
        assert refusal(answer)[:2] == (504, expected)
        del tested.gateway.stage_variables["site_url"]
        assert refusal(await tested.client.get("/site/x"))[0] == 500


async def test_a_head_request_has_headers_and_no_body(tested: GatewayUnderTest) -> None:
    answer = await tested.client.head("/echo")
    assert answer.status_code == 200
    assert answer.content == b""


async def test_a_client_that_leaves_early_does_not_affect_others(tested: GatewayUnderTest) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await tested.client.post("/web", json={"sleep": 0.5}, timeout=0.1)
    order = {"answer": {"statusCode": 200}}
    answers = await asyncio.gather(*(tested.client.post("/web", json=order) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}


async def test_the_stages_limit_applies_per_method_to_all_callers_together(
    tmp_path: Path,
) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    pools.pool("echo", name="test-echo")
    async with serve_gateway(pools, rest_api(rate_per_second=0.001, burst=2)) as limited:
        statuses = [(await limited.client.get("/echo")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await limited.client.post("/echo")).status_code == 200
    await pools.stop()


async def test_a_method_with_a_limit_of_its_own_has_it_in_place_of_the_stages(
    tmp_path: Path,
) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    pools.pool("echo", name="test-echo")
    api = rest_api(rate_per_second=0.001, burst=1)
    any_method = api.resources["/echo"]["ANY"]
    own = replace(any_method, rate_per_second=0.001, burst=2)
    resources = {**api.resources, "/echo": {"ANY": any_method, "GET": own}}
    async with serve_gateway(pools, replace(api, resources=resources)) as limited:
        assert [(await limited.client.get("/echo")).status_code for _ in range(3)] == [
            200,
            200,
            429,
        ]
        assert [(await limited.client.post("/echo")).status_code for _ in range(2)] == [200, 429]
    await pools.stop()


async def test_the_gateways_own_answers_have_the_headers_that_the_api_adds(tmp_path: Path) -> None:
    pools = Pools(LogFolder(tmp_path / "logs"))
    headers = {"DEFAULT_4XX": {"x-request-id": "context.requestId", "x-fixed": "'yes'"}}
    async with serve_gateway(pools, rest_api(refusal_headers=headers)) as adding:
        refused = await adding.client.get("/echo", headers={"x-api-key": "wrong"})
        assert refusal(refused) == (403, '{"message":"Forbidden"}', "ForbiddenException")
        assert refused.headers["x-request-id"] == refused.headers["x-amzn-requestid"]
        assert refused.headers["x-fixed"] == "yes"
        failed = await adding.client.get("/lost/x")
        assert failed.status_code == 500
        assert "x-fixed" not in failed.headers
    await pools.stop()
