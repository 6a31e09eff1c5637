"""The Model Context Protocol: the official client over a socket, and messages that are wrong."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.mcp.messages import MAX_BYTES
from api.tests.fakes import SETTINGS, Gateway, job
from api.tests.test_routes import CHAT_ANSWER, PASSAGE
from shared.settings import KeyScopes
from shared.testing import FakeKeyNames, app_client

pytestmark = pytest.mark.anyio

SCOPES = KeyScopes(
    operations={"ask": ("POST /mcp",)},
    keys={"client": ("ask", "read"), "ingest": ("ask", "read", "write"), "asker": ("ask",)},
)
MODERN = "2026-07-28"
DOCS = Path(__file__).resolve().parents[3] / "docs" / "mcp.md"


def make_app(gateway: Gateway) -> FastAPI:
    settings = SETTINGS.model_copy(
        update={
            "enable_service_api_keys": True,
            "key_scopes": SCOPES,
            "cors_origins": "https://app.example",
        }
    )
    names = FakeKeyNames({f"id-of-{name}": name for name in SCOPES.keys})
    return create_app(settings, client=gateway.client(), key_names=names)


@pytest.fixture
def gateway() -> Gateway:
    health = {f"GET /{name}/health": httpx.Response(200) for name in ("chat", "s3vector", "runner")}
    return Gateway(
        {
            "POST /chat/messages": httpx.Response(200, json=CHAT_ANSWER),
            "POST /s3vector/query": httpx.Response(
                200, json={"passages": [PASSAGE], "embedding_model": "titan"}
            ),
            "POST /runner/jobs": httpx.Response(202, json=job("pending")),
            **health,
        }
    )


@pytest.fixture
def url(gateway: Gateway) -> Iterator[str]:
    """The URL of the application on a loopback port, behind what a gateway adds."""
    app = make_app(gateway)

    async def behind_gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            key = dict(scope["headers"]).get(b"x-api-key", b"").decode()
            context = {"identity": {"apiKeyId": f"id-of-{key}"}}
            path = scope["path"].removeprefix("/dev/api")
            scope = {**scope, "path": path, "aws.event": {"requestContext": context}}
        await app(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(behind_gateway, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/dev/api/mcp"
    server.should_exit = True
    thread.join()


@asynccontextmanager
async def connected(url: str, key: str, mode: str) -> AsyncIterator[Client]:
    headers = {"x-api-key": key}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


# --- The official client --------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "version"), [("auto", MODERN), ("legacy", "2025-11-25")])
async def test_a_client_finds_the_tools_that_its_key_may_call(
    url: str, mode: str, version: str
) -> None:
    for key, names in (
        ("client", ["ask", "search", "status"]),
        ("ingest", ["ask", "search", "status", "ingest"]),
        ("asker", ["ask", "search"]),
    ):
        async with connected(url, key, mode) as client:
            assert client.protocol_version == version
            assert client.server_info is not None
            assert client.server_info.name == "fin-advisor"
            assert [tool.name for tool in (await client.list_tools()).tools] == names


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_answer_is_structured_with_its_citations(
    url: str, mode: str, gateway: Gateway
) -> None:
    async with connected(url, "client", mode) as client:
        await client.list_tools()  # so that the client checks results against the output schemas
        found = await client.call_tool("ask", {"question": "How do I save?"})
        assert not found.is_error
        [citation] = found.structured_content["citations"]
        assert citation["document_id"] == CHAT_ANSWER["citations"][0]["document_id"]
        assert json.loads(text_of(found)) == found.structured_content
        passages = await client.call_tool("search", {"text": "save"})
        assert passages.structured_content["passages"][0]["passage_id"] == "a#0"
        status = await client.call_tool("status", {})
        assert status.structured_content["healthy"] is True
    assert gateway.sent()["messages"][0]["content"] == "How do I save?"


async def test_only_a_key_that_may_write_ingests(url: str, gateway: Gateway) -> None:
    arguments = {"documents": [{"id": "fund", "text": "Three months."}]}
    async with connected(url, "client", "auto") as client:
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("ingest", arguments)
    assert gateway.requests == []
    async with connected(url, "ingest", "auto") as client:
        started = await client.call_tool("ingest", arguments)
        assert started.structured_content["state"] == "pending"
    [sent] = gateway.sent()["documents"]
    assert (sent["id"], sent["text"]) == ("fund", "Three months.")


async def test_an_error_of_a_tool_is_a_result_that_a_model_can_read(
    url: str, gateway: Gateway
) -> None:
    gateway.answers["POST /chat/messages"] = httpx.Response(
        503, json={"error": "unavailable", "detail": "why"}
    )
    async with connected(url, "client", "auto") as client:
        failed = await client.call_tool("ask", {"question": "x"})
        assert (failed.is_error, "unavailable" in text_of(failed)) == (True, True)
        wrong = await client.call_tool("ask", {"question": "x", "top_k": 1000})
        assert (wrong.is_error, "top_k" in text_of(wrong)) == (True, True)


# --- docs/mcp.md ----------------------------------------------------------------------------------


def documented(language: str) -> str:
    """Return the code block of a language in docs/mcp.md."""
    [block] = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    return str(block)


async def test_the_documented_configuration_connects(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_GATEWAY_URL", url.removesuffix("/api/mcp"))
    monkeypatch.setenv("API_KEY", "client")
    [server] = json.loads(os.path.expandvars(documented("json")))["mcpServers"].values()
    assert server["url"] == url
    async with connected(server["url"], server["headers"]["x-api-key"], "auto") as client:
        assert len((await client.list_tools()).tools) == 3


def test_the_documented_program_prints_an_answer_with_citations(url: str) -> None:
    environment = {
        "API_GATEWAY_URL": url.removesuffix("/api/mcp"),
        "API_KEY": "client",
        "NO_PROXY": "127.0.0.1",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    ran = subprocess.run(
        [sys.executable, "-c", documented("python")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answer, *citations = ran.stdout.splitlines()
    assert answer == CHAT_ANSWER["answer"]
    assert len(citations) == len(CHAT_ANSWER["citations"])


# --- Messages -------------------------------------------------------------------------------------


def request(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def modern(method: str, version: str = MODERN, **params: Any) -> dict[str, Any]:
    prefix = "io.modelcontextprotocol"
    meta = {f"{prefix}/protocolVersion": version, f"{prefix}/clientCapabilities": {}}
    return request(method, _meta=meta, **params)


def mirrored(method: str, **changes: str) -> dict[str, str]:
    headers = {"mcp-protocol-version": MODERN, "mcp-method": method}
    return headers | {name.replace("_", "-"): value for name, value in changes.items()}


async def send(
    body: Any, headers: dict[str, str] | None = None, *, method: str = "POST", key: str = "client"
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    app, context = make_app(Gateway({})), {"identity": {"apiKeyId": f"id-of-{key}"}}
    async with app_client(app, context=context) as client:
        return await client.request(method, "/mcp", content=content, headers=headers)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"\xff", 400, -32700),
        (b'{"id": NaN}', 400, -32700),
        (b"[" * 100_000, 400, -32700),
        ([request("ping")], 400, -32600),
        (b"1", 400, -32600),
        (request("ping") | {"jsonrpc": "1.0"}, 400, -32600),
        (request("ping") | {"params": []}, 400, -32600),
        (request("ping", None), 400, -32600),
        (request("ping", True), 400, -32600),
        (request("ping", 1.5), 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, 400, -32600),
        (b" " * (MAX_BYTES + 1), 413, -32600),
        (request("resources/list"), 200, -32601),
        (request("server/discover"), 200, -32601),
        (request("tools/call", name="dance"), 200, -32602),
        (request("tools/call", name=["ask"]), 200, -32602),
    ],
)
async def test_a_wrong_message_gets_the_protocols_error(body: Any, status: int, code: int) -> None:
    answer = await send(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert ("id" in answer.json()) == (code not in {-32700, -32600})


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (modern("tools/list"), {}, 400, -32020),
        (modern("tools/list"), mirrored("tools/call"), 400, -32020),
        (modern("tools/list"), mirrored("tools/list", mcp_protocol_version="x"), 400, -32020),
        (modern("tools/call", name="ask"), mirrored("tools/call"), 400, -32020),
        (modern("tools/call", name="ask"), mirrored("tools/call", mcp_name="asK"), 400, -32020),
        (
            modern("tools/list", "1900-01-01"),
            mirrored("tools/list", mcp_protocol_version="1900-01-01"),
            400,
            -32022,
        ),
        (request("tools/list"), {"mcp-protocol-version": "1900-01-01"}, 400, -32022),
        (request("tools/list"), {"mcp-protocol-version": MODERN}, 400, -32602),
        (modern("ping"), mirrored("ping"), 404, -32601),
        (modern("initialize"), mirrored("initialize"), 404, -32601),
    ],
)
async def test_a_request_states_its_version_in_body_and_headers(
    body: Any, headers: dict[str, str], status: int, code: int
) -> None:
    answer = await send(body, headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    if code == -32022:
        assert error["data"] == {
            "supported": [MODERN, "2025-11-25", "2025-06-18"],
            "requested": "1900-01-01",
        }


async def test_a_name_in_base64_is_compared_decoded() -> None:
    headers = mirrored("tools/call", mcp_name="=?base64?ZGFuY2U=?=")
    answer = await send(modern("tools/call", name="dance"), headers)
    assert answer.json()["error"]["code"] == -32602  # the tool is unknown; the header is right


@pytest.mark.parametrize(
    ("asked", "given"),
    [("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), (None, "2025-11-25")],
)
async def test_initialize_negotiates_the_version(asked: Any, given: str) -> None:
    answer = await send(request("initialize", protocolVersion=asked, capabilities={}))
    assert answer.json()["result"]["protocolVersion"] == given
    assert "mcp-session-id" not in answer.headers


async def test_a_notification_gets_no_answer() -> None:
    answer = await send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status_code, answer.content) == (202, b"")


async def test_an_id_that_utf_8_cannot_encode_is_returned() -> None:
    answer = await send(rb'{"jsonrpc": "2.0", "id": "\ud800", "method": "ping"}')
    assert answer.content == b'{"jsonrpc": "2.0", "id": "\\ud800", "result": {}}'


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_there_are_no_streams_and_no_sessions(method: str) -> None:
    answer = await send(b"", method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_page_of_a_foreign_origin_is_refused() -> None:
    ping = request("ping")
    for origin in ("https://app.example", "http://gateway.test"):
        assert (await send(ping, {"origin": origin})).status_code == 200
    for origin in ("https://evil.example", "null", ""):
        answer = await send(ping, {"origin": origin})
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")


async def test_a_key_without_the_scope_is_refused() -> None:
    answer = await send(request("ping"), key="stranger")
    assert (answer.status_code, answer.json()["error"]) == (403, "missing_scope")
