"""AWS_PROXY integrations: converts a request to a Lambda event (payload format 1.0) and the
function's result to an answer.
"""

import base64
import binascii
import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.blueprint import ACCOUNT_ID, REGION, RestApi
from local.gateway.exchange import Answer, GatewayRequest, answer_headers
from local.gateway.matching import Match

_RESULT_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_STATUSES = range(200, 600)  # 1xx announces an answer and is none
_SPELLED = {"authorization": "Authorization", "host": "Host", "user-agent": "User-Agent"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class MalformedResultError(Exception):
    """The function's result is not in the proxy format; API Gateway answers 502."""


def proxy_event(request: GatewayRequest, match: Match, api: RestApi) -> dict[str, Any]:
    """The event that API Gateway sends for `request`."""
    headers = _grouped(_event_headers(request))
    query = request.query_items()
    body, encoded = _event_body(request, api)
    return {
        "resource": match.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": dict(match.parameters) or None,
        "stageVariables": dict(api.stage_variables) or None,
        "requestContext": _context(request, match, api),
        "body": body,
        "isBase64Encoded": encoded,
    }


def proxy_answer(
    result: bytes, request: GatewayRequest, api: RestApi, *, target_request_id: str
) -> Answer:
    """The answer in the function's `result`. Raises MalformedResultError if the format is wrong."""
    try:
        content = json.loads(result)
    except ValueError as error:
        raise MalformedResultError("the result is not JSON") from error
    if not isinstance(content, dict) or not content.keys() <= _RESULT_KEYS:
        raise MalformedResultError("the result is not an object of the proxy format")
    try:
        status = int(content.get("statusCode", 200))
    except (TypeError, ValueError) as error:
        raise MalformedResultError("statusCode is not a number") from error
    if status not in _STATUSES:
        raise MalformedResultError(f"statusCode is {status}")
    headers = _result_headers(content)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    body = _result_body(content, request, api)
    return Answer(status, answer_headers(headers), body, target_request_id)


def _event_headers(request: GatewayRequest) -> list[tuple[str, str]]:
    # Names that differ in case only are one header: the first spelling counts.
    spelled = dict(_SPELLED)
    headers = [
        (spelled.setdefault(name.lower(), name), value)
        for name, value in request.forwarded_headers()
    ]
    forwarded = [request.header("x-forwarded-for"), request.source_ip]
    return [
        *headers,
        ("X-Amzn-Trace-Id", str(request.trace)),
        ("X-Forwarded-For", ", ".join(address for address in forwarded if address)),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _context(request: GatewayRequest, match: Match, api: RestApi) -> dict[str, Any]:
    started = datetime.datetime.fromtimestamp(request.started_at, datetime.UTC)
    host = request.header("host") or ""
    identity: dict[str, str | None] = dict.fromkeys(
        (
            "cognitoIdentityPoolId",
            "cognitoIdentityId",
            "principalOrgId",
            "cognitoAuthenticationType",
            "userArn",
            "accountId",
            "caller",
            "user",
            "accessKey",
            "cognitoAuthenticationProvider",
        )
    )
    identity |= {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")}
    if request.key is not None:
        identity |= {"apiKey": request.key.value, "apiKeyId": request.key.key_id}
    return {
        "resourceId": match.resource.strip("/").replace("/", "-"),
        "resourcePath": match.resource,
        "httpMethod": request.method,
        "extendedRequestId": request.extended_request_id,
        "requestTime": started.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "path": request.raw_path,
        "accountId": ACCOUNT_ID,
        "protocol": "HTTP/1.1",
        "stage": api.stage,
        "domainPrefix": host.partition(".")[0],
        "requestTimeEpoch": int(request.started_at * 1000),
        "requestId": request.request_id,
        "identity": identity,
        "domainName": host,
        "deploymentId": f"{api.api_id}-{REGION}",
        "apiId": api.api_id,
        **({} if request.claims is None else {"authorizer": {"claims": dict(request.claims)}}),
    }


def _event_body(request: GatewayRequest, api: RestApi) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    if _is_binary(request.header("content-type") or "application/json", api):
        return base64.b64encode(request.body).decode(), True
    # API Gateway treats every other media type as text and replaces bytes that are not UTF-8.
    return request.body.decode("utf-8", errors="replace"), False


def _result_headers(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    single, multiple = (
        {} if content.get(name) is None else content[name]
        for name in ("headers", "multiValueHeaders")
    )
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise MalformedResultError("headers is not an object")
    headers: list[tuple[str, str]] = []
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise MalformedResultError(f"multiValueHeaders.{name} is not a list")
        headers.extend((name, _header_value(value)) for value in values)
    # A header that is in both is sent with all its values, each once.
    known = {(name.lower(), value) for name, value in headers}
    headers.extend(
        (name, text)
        for name, value in single.items()
        if (name.lower(), text := _header_value(value)) not in known
    )
    wrong = next((name for name, _ in headers if not _HEADER_NAME.fullmatch(name)), None)
    if wrong is not None:
        raise MalformedResultError(f"{wrong[:60]!r} is not a valid header name")
    return headers


def _header_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedResultError("a header's value is neither text nor a number")
    text = str(value).strip(" \t")
    if not _HEADER_VALUE.fullmatch(text):
        raise MalformedResultError("a header's value has a line break or is not in Latin-1")
    return text


def _result_body(content: Mapping[str, Any], request: GatewayRequest, api: RestApi) -> bytes:
    body = content.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResultError("body is not text")
    accepted = (request.header("accept") or "").partition(",")[0]
    if content.get("isBase64Encoded") is True and _is_binary(accepted, api):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise MalformedResultError("body is not base64") from error
    return body.encode()


def _is_binary(media_type: str, api: RestApi) -> bool:
    media_type = media_type.partition(";")[0].strip().lower()
    return any(
        declared in {"*/*", media_type}
        or (declared.endswith("/*") and media_type.startswith(declared[:-1]))
        for declared in api.binary_media_types
    )


def _grouped(items: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in items:
        groups.setdefault(name, []).append(value)
    return groups
