"""A package does not leak memory or files over a thousand requests."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from local.tests.zips.zip_functions import QUESTION, ZipFunction, event_for, json_body, of
from shared.testing import api_gateway_event

pytestmark = pytest.mark.anyio


REQUESTS, WARM_UP = 1_000, 200
# 1.5 KB a request. AWS's runtime client itself leaks 144 bytes with each new trace header (putenv),
# and the rest of the warm-up adds about as much.
GROWTH_BYTES = 1_200_000


def everything(service: str) -> list[tuple[Any, int | None]]:
    """A new event of each kind, with the status of its answer."""
    ask: dict[str, tuple[str, str, dict[str, Any]]] = {
        "api": ("GET", "/test", {}),
        "chat": ("POST", "/messages", {"messages": [{"role": "user", "content": QUESTION}]}),
        "s3vector": ("POST", "/query", {"text": QUESTION}),
        "runner": ("GET", "/jobs", {}),
    }
    posts = {"api": "/ask", "chat": "/messages", "s3vector": "/query", "runner": "/jobs"}
    method, path, content = ask.get(service, ("GET", "/liveness", {}))

    def event(method: str, path: str, **options: Any) -> dict[str, Any]:
        return event_for(service, method, path, **options)

    wrong_bodies: list[tuple[Any, int | None]] = []
    if post := posts.get(service):
        headers = {"content-type": "application/json"}
        wrong_bodies = [
            (event("POST", post, json={"no": "such field"}), 422),
            (event("POST", post, body="{", headers=headers), 400),
        ]
    return [
        (event(method, path, **(json_body(content, "base64") if content else {})), 200),
        (event("GET", "/health"), 200),
        (event("GET", "/readiness"), 200),
        (event("GET", "/nowhere"), 404),
        (event("DELETE", "/health"), 405),
        *wrong_bodies,
        (event("GET", "/health") | {"multiValueHeaders": {"host": [1]}}, 500),
        ({"test": "secrets"}, None),
        ({"Records": []}, None),
    ]


def probes(service: str) -> list[tuple[Any, int | None]]:
    """Events that fail, and events with long answers."""

    def event(path: str, **options: Any) -> dict[str, Any]:
        return api_gateway_event("GET", f"/{service}/probe{path}", **options)

    return [
        (event("/broken"), 500),
        (event("/half"), 500),
        (event("/sized", query="count=100000"), 200),
        *((event("/sized", query=f"count={count}"), 200) for count in range(7)),
    ]


async def check_growth(
    function: ZipFunction, events: Callable[[str], list[tuple[Any, int | None]]]
) -> None:
    memory, files = 0, 0
    for first in range(0, REQUESTS, 10):
        if first == WARM_UP:
            memory, files = function.memory_and_files()
        for event, status in events(function.service):
            result = await function.invoke(event)
            assert result.function_error is None, result.payload
            assert json.loads(result.payload).get("statusCode") == status, result.payload
    memory_now, files_now = function.memory_and_files()
    print(
        f"{function.service}: {memory_now - memory} bytes more of {memory_now}, {files_now} files"
    )
    assert files_now == files
    assert memory_now - memory < GROWTH_BYTES


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@LINUX
async def test_a_thousand_requests_leave_memory_and_open_files_as_they_were(
    function: ZipFunction,
) -> None:
    await check_growth(function, everything)


@LINUX
@of("api")
async def test_a_thousand_failures_and_long_answers_do_too(probe: ZipFunction) -> None:
    await check_growth(probe, probes)
