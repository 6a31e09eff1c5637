"""HTTP_PROXY integrations: forwards a request to a web service and returns its answer."""

import re
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from local.blueprint import HttpIntegration, RestApi
from local.gateway.exchange import Answer, GatewayRequest, answer_headers
from local.gateway.matching import Match
from local.net.sockets import NO_CERTIFICATES

_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
_NOT_FORWARDED = frozenset(["host", "content-encoding", "via"])
_NOT_RETURNED = frozenset(["content-encoding", "via"])


class ConfigurationError(Exception):
    """An integration refers to a variable or an expression that the stage does not have."""


class WebProxy:
    """Sends requests to the web services over one connection pool."""

    def __init__(self, api: RestApi) -> None:
        self._api = api
        self._client = httpx.AsyncClient(
            trust_env=False,
            verify=NO_CERTIFICATES,
            follow_redirects=False,
            # One client's cookies must not reach another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=200, keepalive_expiry=4),
        )
        for name in list(self._client.headers):  # such as httpx's own User-Agent
            del self._client.headers[name]

    async def close(self) -> None:
        await self._client.aclose()

    async def send(
        self,
        integration: HttpIntegration,
        request: GatewayRequest,
        match: Match,
        variables: dict[str, str],
    ) -> Answer:
        """The service's answer.

        Raises httpx.TimeoutException or httpx.TransportError if the service does not answer, and
        ConfigurationError if the integration refers to a variable that the stage does not have.
        """
        uri = fill_uri(integration.uri, match, variables)
        headers = [
            (name, value)
            for name, value in request.forwarded_headers()
            if name.lower() not in _NOT_FORWARDED
        ]
        mapped = {
            name.lower(): evaluate(expression, request, variables)
            for name, expression in integration.headers.items()
        }
        headers = [(name, value) for name, value in headers if name.lower() not in mapped]
        forwarded = [request.header("x-forwarded-for"), request.source_ip]
        headers += [
            *mapped.items(),
            ("x-amzn-trace-id", str(request.trace)),
            ("x-amzn-apigateway-api-id", self._api.api_id),
            ("x-forwarded-for", ", ".join(address for address in forwarded if address)),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
        ]
        response = await self._client.request(
            request.method,
            f"{uri}?{request.query}" if request.query else uri,
            # httpx encodes text as ASCII, and a client may send any byte.
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers],
            content=request.body,
            timeout=httpx.Timeout(self._api.integration_timeout_seconds, connect=5.0),
        )
        # httpx has already decoded the body, so the answer must not declare an encoding. It decodes
        # headers as UTF-8 if it can, which a client of the gateway must not get.
        returned = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in response.headers.raw
            if name.lower().decode("latin-1") not in _NOT_RETURNED
        ]
        return Answer(response.status_code, answer_headers(returned), response.content)


def fill_uri(uri: str, match: Match, variables: dict[str, str]) -> str:
    """`uri` with its stage variables and path parameters replaced by their values."""

    def variable(found: re.Match[str]) -> str:
        try:
            return variables[found[1]]
        except KeyError:
            raise ConfigurationError(f"stage variable {found[1]} is not set") from None

    filled = _VARIABLE.sub(variable, uri)
    for name, value in match.parameters.items():
        filled = filled.replace(f"{{{name}}}", value)
    return filled


def evaluate(expression: str, request: GatewayRequest, variables: dict[str, str]) -> str:
    """The value of one of API Gateway's mapping expressions."""
    if expression.startswith("'"):
        return expression.strip("'")
    known = {
        "context.requestId": request.request_id,
        "context.extendedRequestId": request.extended_request_id,
        "context.identity.sourceIp": request.source_ip,
        "context.identity.apiKeyId": request.key.key_id if request.key else "",
        "context.requestTimeEpoch": str(int(request.started_at * 1000)),
        "context.xrayTraceId": request.trace.root,
    }
    if expression in known:
        return known[expression]
    kind, _, name = expression.rpartition(".")
    if kind == "stageVariables" and name in variables:
        return variables[name]
    if kind == "method.request.header":
        return request.header(name.lower()) or ""
    raise ConfigurationError(f"{expression} cannot be evaluated")
