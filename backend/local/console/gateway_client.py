"""Calls the gateway for the console's page, which never gets an API key."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import httpx

from local.aws.server import boto3_client
from local.aws.user_pool import CURATOR, UserPool
from local.blueprint import REGION
from local.console.parts import Parts
from local.net.sockets import NO_CERTIFICATES
from local.traces.spans import plain_trace_id
from local.traces.xray_header import new_root

type KeyName = Literal["API_KEY", "INGEST_API_KEY"]

_TIMEOUT_SECONDS = 35.0
_STREAM_SECONDS = 130.0
_TOKEN_SECONDS = 1800.0
_LONGEST_BODY_BYTES = 20 * 2**20


class GatewayError(Exception):
    """The gateway did not answer a request with success. `status` is 502 without an answer."""

    def __init__(self, status: int, error: str, detail: str, trace_id: str) -> None:
        super().__init__(detail)
        self.status = status
        self.error = error
        self.detail = detail
        self.trace_id = trace_id


class GatewayClient:
    """An HTTP client with the estate's keys, and in an estate with users the curator's token."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._client: httpx.AsyncClient | None = None
        self._token: tuple[str, float] | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: KeyName = "API_KEY",
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        traced: bool = True,
    ) -> tuple[Any, str]:
        """Return the JSON of a successful answer, and its trace id.

        Raises:
            GatewayError: Any other answer, or none.
        """
        headers, trace_id = await self._headers(key, traced=traced)
        try:
            response = await self._http().request(
                method, self._url(path), headers=headers, json=json, params=params
            )
        except httpx.HTTPError as error:
            raise _unreachable(error, trace_id) from error
        if not response.is_success:
            raise _refused(response, response.content, trace_id)
        try:
            return (response.json() if response.content else None), trace_id
        except ValueError as error:
            raise GatewayError(
                502, "malformed_answer", "The gateway's answer is not JSON.", trace_id
            ) from error

    @contextlib.asynccontextmanager
    async def stream(self, path: str, json: Any) -> AsyncIterator[tuple[httpx.Response, str]]:
        """A streamed answer to a POST, once its status is known, and its trace id.

        Raises:
            GatewayError: The status is not a success, or there is no answer.
        """
        headers, trace_id = await self._headers("API_KEY", traced=True)
        headers["accept"] = "text/event-stream"
        try:
            async with self._http().stream(
                "POST", self._url(path), headers=headers, json=json, timeout=_STREAM_SECONDS
            ) as response:
                if not response.is_success:
                    raise _refused(response, await response.aread(), trace_id)
                yield response, trace_id
        except httpx.HTTPError as error:
            raise _unreachable(error, trace_id) from error

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=_TIMEOUT_SECONDS, trust_env=False, verify=NO_CERTIFICATES
            )
        return self._client

    def _url(self, path: str) -> str:
        return self._parts.variables()["API_GATEWAY_URL"] + path

    async def _headers(self, key: KeyName, *, traced: bool) -> tuple[dict[str, str], str]:
        root = new_root()
        headers = {
            "x-api-key": self._parts.variables()[key],
            "x-amzn-trace-id": f"Root={root};Sampled={int(traced)}",
        }
        pool = self._parts.user_pool()
        if pool is not None:
            headers["authorization"] = await self._signed_in(pool)
        return headers, plain_trace_id(root)

    async def _signed_in(self, pool: UserPool) -> str:
        now = time.monotonic()
        if self._token is None or self._token[1] < now:
            token = await asyncio.to_thread(_sign_in, pool, self._parts.variables())
            self._token = token, now + _TOKEN_SECONDS
        return self._token[0]


def _sign_in(pool: UserPool, variables: Mapping[str, str]) -> str:
    cognito = boto3_client("cognito-idp", endpoint_url=variables["AWS_ENDPOINT_URL"], region=REGION)
    answer = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=pool.client_id,
        AuthParameters={"USERNAME": CURATOR, "PASSWORD": pool.password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


def _unreachable(error: httpx.HTTPError, trace_id: str) -> GatewayError:
    detail = f"The gateway did not answer: {type(error).__name__}."
    return GatewayError(502, "gateway_unreachable", detail, trace_id)


def _refused(response: httpx.Response, content: bytes, trace_id: str) -> GatewayError:
    error, detail = "gateway_error", f"The gateway answered {response.status_code}."
    try:
        body = httpx.Response(200, content=content[:_LONGEST_BODY_BYTES]).json()
        if "error" in body:
            error, detail = str(body["error"]), str(body.get("detail", detail))
        elif "message" in body:
            detail = f"The gateway answered {response.status_code}: {body['message']}"
    except (ValueError, TypeError):
        pass  # not JSON: the status says enough
    return GatewayError(response.status_code, error, detail, trace_id)
