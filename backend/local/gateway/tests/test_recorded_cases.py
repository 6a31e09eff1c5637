"""The gateway answers as API Gateway did where its answers are recorded."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from local.blueprint import Method, MockIntegration
from local.compute.logs import LogFolder
from local.conftest import GatewayUnderTest, Pools, rest_api, serve, serve_gateway
from local.gateway.tests.recorded_cases import CASES, Case
from local.net.serving import Receive, Scope, Send, read_body, respond

pytestmark = pytest.mark.anyio


def _mock(status: int) -> Method:
    return Method(MockIntegration(status), api_key_required=False)


_ROUTES = {
    "/test": {"POST": _mock(201)},
    "/{proxy+}": {"OPTIONS": _mock(202)},
    "/test/any": {"ANY": _mock(203)},
    "/order/{param+}": {"GET": _mock(207)},
    "/order/part1": {"GET": _mock(205)},
    "/order/part1/hardcoded-value": {"GET": _mock(206)},
}


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """A web service that answers with the headers it got."""
    await read_body(receive, limit_bytes=1_000)
    kind, _, status = scope["path"].strip("/").partition("/")
    got = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    headers = [
        ("connection", "keep-alive"),
        ("server", "site"),
        ("x-amzn-requestid", "its-own"),
        ("set-cookie", "session=secret; Path=/"),
        ("x-utf-8", "é€".encode().decode("latin-1")),
    ]
    body = json.dumps({"service": got}).encode()
    await respond(send, int(status) if kind == "status" else 200, headers, body)


@pytest.fixture(scope="module")
async def tested(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewayUnderTest]:
    pools = Pools(LogFolder(tmp_path_factory.mktemp("recorded") / "logs"))
    pools.pool("echo", name="test-echo")
    pools.pool("web", name="test-web")
    api = rest_api()
    api = replace(api, resources={**api.resources, **_ROUTES})
    async with serve(site) as site_url, serve_gateway(pools, api) as under_test:
        under_test.gateway.stage_variables["site_url"] = site_url
        yield under_test
    await pools.stop()


def exchange(
    url: str, request: str, headers: Sequence[tuple[str, str]], body: bytes = b""
) -> dict[str, Any]:
    """Send a request as it is written, and return what came of it."""
    method, target = request.split(" ")
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        given = {name.lower() for name, _ in headers}
        for name, value in [
            ("Host", "localhost"),
            ("x-api-key", "secret-caller"),
            *([("Content-Length", str(len(body)))] if body else []),
        ]:
            if name.lower() not in given:
                connection.putheader(name, value)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(b"0\r\n\r\n" if "transfer-encoding" in given else body)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    names = {name.lower() for name, _ in answer.getheaders()}
    observed: dict[str, Any] = {
        "status": answer.status,
        "body": text,
        "header": {name: ", ".join(answer.headers.get_all(name, [])) for name in names},
    }
    try:
        content = json.loads(text)
    except ValueError:
        return observed
    return observed | content if isinstance(content, dict) else observed


def at(observed: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(observed, dict) or name not in observed:
            return None
        observed = observed[name]
    return observed


def problems(case: Case, observed: dict[str, Any]) -> list[str]:
    """Where the observation is not what the case expects of us."""
    expected = {**case.aws, **case.ours}
    return [
        f"{path}: {at(observed, path)!r}, not {value!r}"
        for path, value in expected.items()
        if (at(observed, path) is None if value is ... else at(observed, path) != value)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_answer_is_the_recorded_one(tested: GatewayUnderTest, case: Case) -> None:
    if "result" in case.sent:
        result = case.sent["result"]
        order = result if isinstance(result, dict) and "raise" in result else {"answer": result}
        sent: tuple[str, Sequence[tuple[str, str]], bytes]
        sent = ("POST /dev/web", [], json.dumps(order).encode())
    else:
        sent = (case.sent["request"], case.sent["headers"], b"")
    observed = await asyncio.to_thread(exchange, tested.url, *sent)
    assert problems(case, observed) == []


def test_each_case_has_a_name_of_its_own_and_a_difference_has_its_reason() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert not [case.name for case in CASES if case.ours and not case.reason]
    # A case that is the same now must not be listed as different.
    assert not [case.name for case in CASES if case.ours and case.ours.items() <= case.aws.items()]


async def test_one_callers_cookies_do_not_reach_another(tested: GatewayUnderTest) -> None:
    for _ in range(2):
        observed = await asyncio.to_thread(exchange, tested.url, "GET /dev/site/x", [])
        assert observed["header"]["set-cookie"] == "session=secret; Path=/"
        assert "cookie" not in observed["service"]
    sent = [("Cookie", "mine=1")]
    observed = await asyncio.to_thread(exchange, tested.url, "GET /dev/site/x", sent)
    assert observed["service"]["cookie"] == "mine=1"


async def test_a_header_of_a_web_service_keeps_its_bytes(tested: GatewayUnderTest) -> None:
    observed = await asyncio.to_thread(exchange, tested.url, "GET /dev/site/x", [])
    assert observed["header"]["x-utf-8"].encode("latin-1").decode() == "é€"


async def test_an_answer_that_has_no_body_leaves_the_connection_open(
    tested: GatewayUnderTest,
) -> None:
    def statuses() -> list[int]:
        connection = http.client.HTTPConnection(tested.url.removeprefix("http://"), timeout=30)
        connection.connect()
        connection.auto_open = 0
        found = []
        for _ in range(2):
            body = json.dumps({"answer": {"statusCode": 204, "body": "text"}})
            connection.request("POST", "/dev/web", body, {"x-api-key": "secret-caller"})
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)
        connection.close()
        return found

    assert await asyncio.to_thread(statuses) == [204, 204]
