"""The proxy event and the proxy answer have API Gateway's format."""

import base64
import json
from typing import Any

import pytest

from local.blueprint import ApiKey, FunctionIntegration, Method
from local.conftest import rest_api
from local.gateway.exchange import GatewayRequest
from local.gateway.lambda_proxy import MalformedResultError, proxy_answer, proxy_event
from local.gateway.matching import Match
from local.traces.xray_header import TraceHeader

ROOT = "1-67891233-abcdef012345678912345678"


def request(**fields: Any) -> GatewayRequest:
    values: dict[str, Any] = {
        "request_id": "request-1",
        "extended_request_id": "extended-1",
        "method": "POST",
        "path": "/api/test",
        "raw_path": "/dev/api/test",
        "query": "",
        "headers": [("host", "127.0.0.1:8080"), ("user-agent", "curl")],
        "source_ip": "127.0.0.1",
        "trace": TraceHeader(ROOT, "463ac35c9f6413ad"),
        "started_at": 1_780_000_000.25,
        "key": ApiKey("key-1", "caller", "secret"),
        **fields,
    }
    return GatewayRequest(**values)


def event(**fields: Any) -> dict[str, Any]:
    match = Match("/api/{proxy+}", Method(FunctionIntegration("f")), {"proxy": "test"})
    return proxy_event(request(**fields), match, rest_api())


def answer(result: Any, **fields: Any) -> Any:
    return proxy_answer(
        json.dumps(result).encode(), request(**fields), rest_api(), target_request_id="lambda-1"
    )


def test_the_path_is_without_the_stage_and_the_contexts_path_with_it() -> None:
    made = event()
    assert made["path"] == "/api/test"
    assert made["resource"] == made["requestContext"]["resourcePath"] == "/api/{proxy+}"
    assert made["requestContext"]["path"] == "/dev/api/test"
    assert made["requestContext"]["stage"] == "dev"
    assert made["pathParameters"] == {"proxy": "test"}


def test_the_context_has_time_source_and_key() -> None:
    context = event()["requestContext"]
    assert context["requestTimeEpoch"] == 1_780_000_000_250
    assert context["requestTime"] == "28/May/2026:20:26:40 +0000"
    assert context["requestId"] == "request-1"
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "curl"
    assert context["identity"]["apiKeyId"] == "key-1"
    assert context["identity"]["accountId"] is None


def test_repeated_headers_and_parameters_are_all_there_and_the_last_one_counts() -> None:
    made = event(
        headers=[("host", "h"), ("x-a", "1"), ("x-a", "2")], query="q=1&q=2&empty=&sp=a%20b+c"
    )
    assert made["headers"]["x-a"] == "2"
    assert made["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert made["queryStringParameters"] == {"q": "2", "empty": "", "sp": "a b c"}
    assert made["multiValueQueryStringParameters"]["q"] == ["1", "2"]


def test_absent_values_are_null() -> None:
    made = event()
    assert made["queryStringParameters"] is None
    assert made["multiValueQueryStringParameters"] is None
    assert made["body"] is None
    assert made["isBase64Encoded"] is False


def test_the_gateway_adds_its_headers_and_drops_those_of_the_connection() -> None:
    made = event(
        headers=[
            ("host", "h"),
            ("connection", "keep-alive"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("x-forwarded-for", "10.0.0.9"),
            ("x-amzn-trace-id", "Root=forged"),
        ]
    )
    headers = made["headers"]
    assert headers["X-Forwarded-For"] == "10.0.0.9, 127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Amzn-Trace-Id"] == f"Root={ROOT};Parent=463ac35c9f6413ad;Sampled=1"
    assert headers["Host"] == "h"
    lower = {name.lower() for name in headers}
    assert not lower & {"connection", "transfer-encoding", "content-length"}
    assert len(lower) == len(headers)


def test_text_stays_text_and_declared_media_types_are_base64() -> None:
    text = event(headers=[("content-type", "application/json")], body=b'{"a":"\xc3\xa9"}')
    assert (text["body"], text["isBase64Encoded"]) == ('{"a":"é"}', False)
    image = event(headers=[("content-type", "image/png")], body=b"\x89PNG")
    assert base64.b64decode(image["body"]) == b"\x89PNG"
    assert image["isBase64Encoded"] is True


def test_bytes_that_are_not_utf_8_are_replaced_in_text() -> None:
    assert event(body=b"\xff{}")["body"] == "\ufffd{}"


def test_an_answer_is_status_headers_and_body() -> None:
    made = answer(
        {
            "statusCode": "201",
            "headers": {"X-One": "1", "X-Number": 5, "X-Bool": True, "Content-Length": "99"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "{}",
        }
    )
    headers = list(made.headers)
    assert made.status == 201
    assert made.body == b"{}"
    assert made.target_request_id == "lambda-1"
    assert [value for name, value in headers if name == "set-cookie"] == ["a=1", "b=2"]
    named = dict(headers)
    assert named["x-number"] == "5"
    assert named["x-bool"] == "true"
    assert named["x-amzn-remapped-content-length"] == "99"
    assert named["content-type"] == "application/json"


def test_an_answer_without_a_status_is_200() -> None:
    assert (answer({}).status, answer({}).body) == (200, b"")


def test_a_header_given_in_both_forms_has_all_its_values_once() -> None:
    made = answer({"headers": {"x-a": "1", "X-B": "2"}, "multiValueHeaders": {"X-A": ["0", "1"]}})
    values = [(name, value) for name, value in made.headers if name.startswith("x-")]
    assert values == [("x-a", "0"), ("x-a", "1"), ("x-b", "2")]


def test_a_base64_answer_is_decoded_where_the_caller_accepts_the_media_type() -> None:
    result = {"statusCode": 200, "body": "iVBORw==", "isBase64Encoded": True}
    assert answer(result, headers=[("accept", "image/png")]).body == b"\x89PNG"
    assert answer(result, headers=[("accept", "text/html")]).body == b"iVBORw=="


@pytest.mark.parametrize(
    "result",
    [
        "text",
        [],
        None,
        {"statusCode": "many"},
        {"statusCode": None},
        {"statusCode": 0},
        {"statusCode": 600},
        {"statusCode": "9" * 5000},
        {"statusCode": 200, "unknown": 1},
        {"statusCode": 200, "cookies": ["a=1"]},
        {"statusCode": 200, "headers": {"x": "a\r\nset-cookie: b=1"}},
        {"statusCode": 200, "headers": {"x": "\u20ac"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "multiValueHeaders": {"": ["c"]}},
        {"statusCode": 200, "multiValueHeaders": {"x": ["a\n"]}},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"x": {}}},
        {"statusCode": 200, "multiValueHeaders": {"x": "y"}},
    ],
)
def test_a_malformed_result_is_no_answer(result: Any) -> None:
    with pytest.raises(MalformedResultError):
        answer(result)
