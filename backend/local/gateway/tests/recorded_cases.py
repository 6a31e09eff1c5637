"""Answers that API Gateway and Lambda have given, and where each is recorded.

A case is a request and what AWS answered, as paths into an observation: `status`, `message`,
`body`, `header.NAME`, `event.…` (what the function got), `service.NAME` (a header that the web
service got). None means absent. `ours` replaces what we answer otherwise, for the `reason`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Values = Mapping[str, Any]

_TESTS = "localstack/localstack, tests/aws/services"
_DOCS = "AWS, API Gateway developer guide"
SOURCES = {
    "answers": f"{_TESTS}/apigateway/test_apigateway_lambda.snapshot.json, "
    "test_aws_proxy_response_payload_format_validation",
    "events": f"{_TESTS}/apigateway/test_apigateway_lambda.snapshot.json, "
    "test_lambda_aws_proxy_integration",
    "methods": f"{_TESTS}/apigateway/test_apigateway_lambda.snapshot.json, "
    "test_lambda_aws_proxy_integration_non_post_method",
    "headers": f"{_TESTS}/apigateway/test_apigateway_integrations.snapshot.json, "
    "test_apigateway_header_remapping_*",
    "http": f"{_TESTS}/apigateway/test_apigateway_http.snapshot.json, "
    "test_http_integration_with_lambda[HTTP_PROXY]",
    "statuses": f"{_TESTS}/apigateway/test_apigateway_http.snapshot.json, "
    "test_http_integration_invoke_status_code_passthrough[HTTP_PROXY]",
    "routing": f"{_TESTS}/apigateway/test_apigateway_common.py, TestApigatewayRouting",
    "keys": f"{_TESTS}/apigateway/test_apigateway_common.py, test_api_key_required_for_methods",
    "traces": f"{_TESTS}/apigateway/test_apigateway_common.snapshot.json, test_invocation_trace_id",
    "go": "aws/aws-lambda-go, events/testdata/apigw-request.json",
    "powertools": "aws-powertools/powertools-lambda-python, tests/events/apiGatewayProxyEvent.json",
    "format": f"{_DOCS}, output format of a Lambda function for proxy integration",
    "notes": f"{_DOCS}, important notes for REST APIs",
    "quotas": f"{_DOCS}, quotas for REST APIs",
    "any": f"{_DOCS}, methods: ANY",
    "rfc": "no recorded answer: RFC 9112, section 3.2.2, and RFC 3986, section 3.3",
    "report": "ntsblog.homedev.com.au, 2021-03-09, a report of the error's text",
}


@dataclass(frozen=True)
class Case:
    """One answer of AWS's. `sent` is a `result` of the function, or a `request` with `headers`."""

    name: str
    source: str
    sent: Values
    aws: Values
    ours: Values = field(default_factory=dict)
    reason: str = ""


_BROKEN = {
    "status": 502,
    "message": "Internal server error",
    "header.x-amzn-errortype": "InternalServerErrorException",
}
_NO_ROUTE = {
    "status": 403,
    "message": "Missing Authentication Token",
    "header.x-amzn-errortype": "MissingAuthenticationTokenException",
}
_JSON_TYPE = {"header.content-type": "application/json"}


def _result(name: str, result: Any, aws: Values, *, source: str = "answers") -> Case:
    return Case(name, source, {"result": result}, aws)


def _request(
    name: str,
    source: str,
    request: str,
    aws: Values,
    *headers: tuple[str, str],
    ours: Values | None = None,
    reason: str = "",
) -> Case:
    return Case(name, source, {"request": request, "headers": headers}, aws, ours or {}, reason)


_MALFORMED: Mapping[str, Values] = {
    "cookies, which only HTTP APIs know": {"cookies": ["a=1"]},
    "a status below 100": {"statusCode": 99},
    "a status above 599": {"statusCode": 600},
    "a status that announces an answer": {"statusCode": 103},
    "a header value with a line break": {"headers": {"x": "a\r\nset-cookie: b=1"}},
    "a header value outside Latin-1": {"headers": {"x": "\u20ac"}},
    "a header name with a space": {"headers": {"a b": "c"}},
    "an empty header name": {"headers": {"": "c"}},
    "a body that is no text": {"body": {"a": 1}},
    "headers that are a list": {"headers": []},
}
_ANSWERS = [
    _result("a status alone", {"statusCode": 200}, {"status": 200, "body": "", **_JSON_TYPE}),
    _result(
        "a header that is a boolean",
        {"statusCode": 200, "headers": {"test-header": "value", "header-bool": True}},
        {"status": 200, "header.test-header": "value", "header.header-bool": "true"},
    ),
    _result("headers that are null", {"statusCode": 200, "headers": None}, {"status": 200}),
    _result("an unknown key", {"statusCode": 200, "wrongValue": "value"}, _BROKEN),
    _result("a function that fails", {"raise": "no body"}, _BROKEN),
    _result(
        "Base64 that the caller did not ask for",
        {"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": True},
        {"status": 200, "body": "dGVzdC1kYXRh"},
    ),
    _result(
        "text that looks like Base64",
        {"statusCode": 200, "body": "dGVzdC1kYXRh"},
        {"status": 200, "body": "dGVzdC1kYXRh"},
    ),
    _result(
        "a header with two values",
        {"statusCode": 200, "multiValueHeaders": {"test-multi": ["value1", "value2"]}},
        {"status": 200, "header.test-multi": "value1, value2"},
    ),
    _result(
        "a header in both forms",
        {
            "statusCode": 200,
            "multiValueHeaders": {"test-multi": ["value-multi"]},
            "headers": {"test-multi": "value-solo"},
        },
        {"status": 200, "header.test-multi": "value-multi, value-solo"},
    ),
    _result(
        "a header in both forms, spelled differently",
        {
            "statusCode": 200,
            "multiValueHeaders": {"tesT-Multi": ["value-multi"]},
            "headers": {"test-multi": "value-solo"},
        },
        {"status": 200, "header.test-multi": "value-multi, value-solo"},
    ),
    _result(
        "a header with several values that is no list",
        {"statusCode": 200, "multiValueHeaders": {"test-multi-invalid": "value1"}},
        _BROKEN,
    ),
    _result("a status that is no number", {"statusCode": "test"}, _BROKEN),
    _result("a status as text", {"statusCode": "201"}, {"status": 201, "body": ""}),
    _result("a result that is text", "justAString", _BROKEN),
    _result("headers without a status", {"headers": {"test-header": "value"}}, {"status": 200}),
    *(
        _result(name, {"statusCode": 200, **wrong}, _BROKEN, source="format")
        for name, wrong in _MALFORMED.items()
    ),
    _result(
        "the same value in both forms",
        {"headers": {"x-a": "1"}, "multiValueHeaders": {"X-A": ["0", "1"]}},
        {"status": 200, "header.x-a": "0, 1"},
        source="format",
    ),
    _result(
        "spaces around a header's value",
        {"statusCode": 200, "headers": {"x": " a "}},
        {"status": 200, "header.x": "a"},
        source="format",
    ),
    _result(
        "a body with a status that has none",
        {"statusCode": 204, "body": "text"},
        {"status": 204, "body": ""},
        source="format",
    ),
    _result(
        "WWW-Authenticate, which is renamed",
        {"statusCode": 401, "headers": {"WWW-Authenticate": "Basic", "Server": "mine"}},
        {
            "status": 401,
            "header.x-amzn-remapped-www-authenticate": "Basic",
            "header.x-amzn-remapped-server": "mine",
            "header.www-authenticate": None,
        },
        source="notes",
    ),
]

_PLAIN = {
    "status": 200,
    "event.path": "/echo/value",
    "event.resource": "/echo/{proxy+}",
    "event.pathParameters.proxy": "value",
    "event.queryStringParameters": None,
    "event.multiValueQueryStringParameters": None,
    "event.body": None,
    "event.isBase64Encoded": False,
    "event.stageVariables": None,
    "event.requestContext.path": "/dev/echo/value",
    "event.requestContext.protocol": "HTTP/1.1",
    "event.requestContext.identity.accessKey": None,
    "event.requestContext.identity.userArn": None,
}
_STAGE_VARIABLES = {"event.stageVariables": {"site_origin": "origin-secret"}}
_EMAIL = "value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com"
_QUERY = (
    "dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com"
    "&plus=test+alias@gmail.com&url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/"
)
_EVENTS = [
    _request(
        "a path below a greedy parameter",
        "events",
        "GET /dev/echo/value",
        _PLAIN,
        ours=_STAGE_VARIABLES,
        reason="the tested stage has variables, the recorded one has none",
    ),
    _request(
        "a slash at the end",
        "events",
        "GET /dev/echo/value/",
        {"event.path": "/echo/value/", "event.pathParameters.proxy": "value"}
        | {"event.requestContext.path": "/dev/echo/value/"},
    ),
    _request(
        "two slashes inside the path",
        "events",
        "GET /dev/echo/value//double-slash",
        {
            "event.path": "/echo/value//double-slash",
            "event.pathParameters.proxy": "value//double-slash",
        },
    ),
    _request(
        "two slashes before the stage",
        "events",
        "GET //dev/echo/value",
        {"event.path": "/echo/value", "event.requestContext.path": "/dev/echo/value"},
    ),
    _request(
        "two slashes behind the stage",
        "events",
        "GET /dev//echo/value",
        {"event.path": "/echo/value", "event.requestContext.path": "/dev//echo/value"},
    ),
    _request(
        "two slashes before a resource without parameters",
        "events",
        "GET /dev//echo",
        {"event.path": "/echo", "event.pathParameters": None, "event.resource": "/echo"}
        | {"event.requestContext.path": "/dev//echo"},
    ),
    _request(
        "a query",
        "events",
        "GET /dev/echo/value?urlparam=test",
        {
            "event.queryStringParameters": {"urlparam": "test"},
            "event.multiValueQueryStringParameters": {"urlparam": ["test"]},
            "event.requestContext.path": "/dev/echo/value",
        },
    ),
    _request(
        "a query behind a slash at the end",
        "events",
        "GET /dev/echo/value/?urlparam=test",
        {"event.path": "/echo/value/", "event.queryStringParameters": {"urlparam": "test"}},
    ),
    _request(
        "an encoded path, which stays encoded",
        "events",
        f"GET /dev/echo/{_EMAIL}",
        {"event.path": f"/echo/{_EMAIL}", "event.pathParameters.proxy": _EMAIL},
    ),
    _request(
        "an encoded query, which is decoded",
        "events",
        f"GET /dev/echo/value?{_QUERY}",
        {
            "event.queryStringParameters": {
                "dateTimeOffset": "2023-06-12T18:05:10.123456 00:00",
                "email": "test+alias@gmail.com",
                "plus": "test alias@gmail.com",
                "url": "https://www.google.com/",
                "whitespace": "foo bar",
                "zhash": "abort/",
            }
        },
    ),
    _request(
        "a repeated parameter",
        "events",
        "POST /dev/echo/value?category=electronics&category=books&price=10&price=20&price=30",
        {
            "event.queryStringParameters": {"category": "books", "price": "30"},
            "event.multiValueQueryStringParameters": {
                "category": ["electronics", "books"],
                "price": ["10", "20", "30"],
            },
        },
    ),
    _request(
        "the spelling of a header's name",
        "events",
        "GET /dev/echo/value",
        {
            "event.headers.tEsT-HEADeR": "aValUE",
            "event.multiValueHeaders.tEsT-HEADeR": ["aValUE"],
            "event.headers.test-header": None,
        },
        ("tEsT-HEADeR", "aValUE"),
    ),
    _request(
        "Authorization, which is spelled anew",
        "events",
        "GET /dev/echo/value",
        {"event.headers.Authorization": "Bearer a;b", "event.headers.aUThorization": None},
        ("aUThorization", "Bearer a;b"),
    ),
    _request(
        "the domain of an event",
        "events",
        "GET /dev/echo/value",
        {"event.requestContext.domainPrefix": "<api-id>"},
        ours={"event.requestContext.domainPrefix": "localhost"},
        reason="the Host is this machine's, not the API's",
    ),
    _request(
        "headers that do not reach a function",
        "headers",
        "GET /dev/echo/value",
        {
            f"event.headers.{name}": None
            for name in (
                "Connection",
                "Content-MD5",
                "Content-Length",
                "Expect",
                "Max-Forwards",
                "Proxy-Authenticate",
                "Server",
                "TE",
                "Trailer",
                "Transfer-Encoding",
                "Upgrade",
                "WWW-Authenticate",
            )
        },
        ("Content-MD5", "x"),
        ("Expect", "100-continue"),
        ("Max-Forwards", "2"),
        ("Proxy-Authenticate", "Basic"),
        ("Server", "https://example.com/"),
        ("TE", "deflate"),
        ("Trailer", "Expires"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "HTTP/2.0"),
        ("WWW-Authenticate", "Basic YWxhZGRpbjpvcGVuc2VzYW1l"),
    ),
    _request(
        "headers that reach a function",
        "headers",
        "GET /dev/echo/value",
        {
            "event.headers.Accept-Charset": "UTF-8",
            "event.headers.Age": "request_Age",
            "event.headers.Content-Encoding": "deflate",
            "event.headers.Date": "request_Date",
            "event.headers.Pragma": "cache",
            "event.headers.Range": "bytes=500-999",
            "event.headers.Referer": "https://example.com/",
            "event.headers.User-Agent": "localStack/0.0",
            "event.headers.Via": "p.example.net",
            "event.headers.Warn": "299 localStack/0.0",
            "event.headers.X-Forwarded-Proto": "https",
        },
        ("Accept-Charset", "UTF-8"),
        ("Age", "request_Age"),
        ("Content-Encoding", "deflate"),
        ("Date", "request_Date"),
        ("Pragma", "cache"),
        ("Range", "bytes=500-999"),
        ("Referer", "https://example.com/"),
        ("user-agent", "localStack/0.0"),
        ("Via", "p.example.net"),
        ("Warn", "299 localStack/0.0"),
    ),
    _request(
        "the caller's own X-Forwarded headers",
        "go",
        "GET /dev/echo/value",
        {
            "event.headers.X-Forwarded-For": "54.240.196.186, 127.0.0.1",
            "event.multiValueHeaders.X-Forwarded-For": ["54.240.196.186, 127.0.0.1"],
            "event.headers.X-Forwarded-Port": "443",
            "event.multiValueHeaders.X-Forwarded-Port": ["443"],
            "event.multiValueHeaders.X-Forwarded-Proto": ["https"],
        },
        ("X-Forwarded-For", "54.240.196.186"),
        ("X-Forwarded-Port", "8080"),
        ("X-Forwarded-Proto", "http"),
    ),
    _request(
        "a header that is sent twice",
        "powertools",
        "GET /dev/echo/value",
        {
            "event.multiValueHeaders.Header2": ["value1", "value2"],
            "event.headers.Header2": "value2",
        },
        ("Header2", "value1"),
        ("Header2", "value2"),
    ),
    _request(
        "the id of the resource",
        "go",
        "GET /dev/echo/value",
        {"event.requestContext.resourceId": "roq9wj"},
        ours={"event.requestContext.resourceId": "echo-{proxy+}"},
        reason="the ids of AWS's resources are random",
    ),
    _request(
        "CloudFront's headers",
        "go",
        "GET /dev/echo/value",
        {"event.headers.CloudFront-Viewer-Country": "US"},
        ours={"event.headers.CloudFront-Viewer-Country": None},
        reason="the API is REGIONAL; edge-optimised ones are behind CloudFront",
    ),
    _request(
        "a semicolon in the query, which separates parameters",
        "notes",
        "GET /dev/echo/value?a=1;b=2&c=3",
        {"event.queryStringParameters": {"a": "1", "b": "2", "c": "3"}},
    ),
    _request(
        "a semicolon in the path",
        "rfc",
        "GET /dev/echo/a;b=1/c",
        {"event.path": "/echo/a;b=1/c", "event.pathParameters.proxy": "a;b=1/c"},
    ),
    _request(
        "a target in absolute form",
        "rfc",
        "GET http://localhost/dev/echo/value?a=1",
        {"status": 200, "event.path": "/echo/value", "event.queryStringParameters": {"a": "1"}},
    ),
]

_ROUTES = [
    _request("a method of the resource", "routing", "POST /dev/test", {"status": 201}),
    _request(
        "a method that only a less specific resource has",
        "routing",
        "OPTIONS /dev/test",
        {"status": 202},
    ),
    _request(
        "ANY before a less specific resource", "routing", "OPTIONS /dev/test/any", {"status": 203}
    ),
    _request("ANY", "routing", "GET /dev/test/any", {"status": 203}),
    _request("a resource beside a greedy one", "routing", "GET /dev/order/part1", {"status": 205}),
    _request(
        "a resource below it", "routing", "GET /dev/order/part1/hardcoded-value", {"status": 206}
    ),
    _request(
        "another path below it", "routing", "GET /dev/order/part1/random-value", {"status": 207}
    ),
    _request("an unknown path", "routing", "GET /dev/random-non-existing", _NO_ROUTE),
    _request("an unknown method", "routing", "PUT /dev/test", _NO_ROUTE),
    *(
        _request(f"ANY: {method}", "any", f"{method} /dev/test/any", {"status": 203})
        for method in ("DELETE", "HEAD", "PATCH", "POST", "PUT")
    ),
    _request("ANY: no other method", "any", "TRACE /dev/test/any", _NO_ROUTE),
    _request(
        "a request without its key",
        "keys",
        "GET /dev/echo",
        {"status": 403, "message": "Forbidden"},
        ("x-api-key", ""),
    ),
    _request("a request with its key", "keys", "GET /dev/echo", {"status": 200}),
    _request(
        "the trace of a function's answer",
        "traces",
        "GET /dev/echo",
        {"header.x-amzn-trace-id": ...},
    ),
    _request(
        "the trace of the gateway's own answer",
        "traces",
        "GET /dev/test/any",
        {"header.x-amzn-trace-id": None},
        ours={"header.x-amzn-trace-id": ...},
        reason="the recorded stage is not traced, ours is",
    ),
    _request(
        "an integration that calls the function by GET",
        "methods",
        "GET /dev/echo",
        {"status": 500, "message": "Internal server error"},
        ours={"status": 200, "message": None},
        reason="Terraform's integrations call functions by POST; a blueprint cannot say otherwise",
    ),
    _request(
        "headers of 10,240 bytes in all",
        "report",
        "GET /dev/echo",
        {"status": 431, "message": "HTTP header is larger than 10240 bytes."},
        ("x-long", "a" * 10_240),
        reason="only the text is recorded, the status is RFC 6585's",
    ),
    _request(
        "a URL of more than 10,240 bytes",
        "quotas",
        f"GET /dev/echo?{'a' * 10_240}",
        {"status": 414},
        reason="only the limit is recorded, the status is RFC 9110's",
    ),
    _request(
        "headers just below the limit",
        "quotas",
        "GET /dev/echo",
        {"status": 200},
        ("x-long", "a" * 10_000),
    ),
]

_SERVICES = [
    _request(
        "the caller's headers at a web service",
        "http",
        "POST /dev/site/x",
        {
            "service.accept": "application/xml",
            "service.accept-encoding": "gzip, deflate",
            "service.content-type": "application/json",
            "service.user-agent": "test/integration",
            "service.x-amzn-apigateway-api-id": "test000000",
        },
        ("Accept", "application/xml"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Content-Type", "application/json"),
        ("User-Agent", "test/integration"),
    ),
    _request(
        "headers of its answer",
        "http",
        "GET /dev/site/x",
        {
            "header.x-amzn-remapped-connection": "keep-alive",
            "header.x-amzn-remapped-content-length": ...,
            "header.x-amzn-remapped-date": ...,
            "header.x-amzn-remapped-server": "site",
            "header.x-amzn-remapped-x-amzn-requestid": "its-own",
            "header.x-amzn-requestid": ...,
        },
    ),
    _request(
        "no User-Agent of the gateway's",
        "http",
        "GET /dev/site/x",
        {"service.user-agent": None, "service.accept": None, "service.accept-encoding": None},
    ),
    _request("a status of success", "statuses", "GET /dev/site/status/200", {"status": 200}),
    _request("a status of failure", "statuses", "GET /dev/site/status/400", {"status": 400}),
    _request(
        "headers that do not reach a web service",
        "headers",
        "GET /dev/site/x",
        {
            f"service.{name}": None
            for name in (
                "content-encoding",
                "content-md5",
                "expect",
                "max-forwards",
                "proxy-authenticate",
                "server",
                "te",
                "trailer",
                "upgrade",
                "via",
                "www-authenticate",
            )
        },
        ("Content-Encoding", "deflate"),
        ("Content-MD5", "x"),
        ("Expect", "100-continue"),
        ("Max-Forwards", "2"),
        ("Proxy-Authenticate", "Basic"),
        ("Server", "https://example.com/"),
        ("TE", "deflate"),
        ("Trailer", "Expires"),
        ("Upgrade", "HTTP/2.0"),
        ("Via", "p.example.net"),
        ("WWW-Authenticate", "Basic YWxhZGRpbjpvcGVuc2VzYW1l"),
    ),
    _request(
        "headers that reach a web service",
        "headers",
        "GET /dev/site/x",
        {
            "service.authorization": "Unauthorized",
            "service.date": "request_Date",
            "service.range": "bytes=500-999",
            "service.referer": "https://example.com/",
            "service.warn": "299 localStack/0.0",
        },
        ("Authorization", "Unauthorized"),
        ("Date", "request_Date"),
        ("Range", "bytes=500-999"),
        ("Referer", "https://example.com/"),
        ("Warn", "299 localStack/0.0"),
    ),
    _request(
        "a GET without a body",
        "headers",
        "GET /dev/site/x",
        {"service.content-length": "0"},
        ours={"service.content-length": None},
        reason="HTTP needs no length of a body that is not there",
    ),
]

CASES: Sequence[Case] = (*_ANSWERS, *_EVENTS, *_ROUTES, *_SERVICES)
