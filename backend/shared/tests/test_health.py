"""Health, liveness and readiness; readiness names each check that fails."""

import asyncio
import functools
import threading
from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI

from shared import health
from shared.errors import NotFound, install_error_handlers
from shared.health import (
    Check,
    create_health_endpoint,
    create_liveness_endpoint,
    create_readiness_endpoint,
    health_check_simple,
    health_router,
    liveness_probe_simple,
    readiness_probe_simple,
)
from shared.testing import app_client

pytestmark = pytest.mark.anyio


async def _get(path: str, checks: Mapping[str, Check] | None = None) -> httpx.Response:
    app = FastAPI()
    app.include_router(health_router("api", "dev", checks=checks))
    install_error_handlers(app)
    async with app_client(app) as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("path", "status"), [("/health", "healthy"), ("/liveness", "alive"), ("/readiness", "ready")]
)
async def test_each_path_reports_the_service_and_its_state(path: str, status: str) -> None:
    response = await _get(path)
    body = response.json()
    assert response.status_code == 200
    assert body.pop("timestamp").endswith("Z")
    assert body == {"status": status, "service": "api", "environment": "dev"}


def test_names_default_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_NAME", "chat")
    monkeypatch.setenv("ENVIRONMENT", "prod")
    for probe in (health_check_simple, liveness_probe_simple, readiness_probe_simple):
        assert (probe().service, probe().environment) == ("chat", "prod")
        assert probe("x", "y").service == "x"
    monkeypatch.delenv("SERVICE_NAME")
    assert health_check_simple().service == "unknown"


async def test_the_endpoints_work_without_the_router() -> None:
    assert (await create_health_endpoint("api", "dev")()).status == "healthy"
    assert (await create_liveness_endpoint("api", "dev")()).status == "alive"
    assert (await create_readiness_endpoint("api", "dev")()).status == "ready"


async def _fine() -> None:
    await asyncio.sleep(0)


async def _fails() -> None:
    raise NotFound("The bucket is not there.")


def _fails_in_a_thread() -> None:
    assert threading.current_thread() is not threading.main_thread()
    raise ValueError("hunter2")


async def test_readiness_names_only_the_failing_checks() -> None:
    response = await _get(
        "/readiness",
        {"bucket": _fails, "model": _fails_in_a_thread, "key": _fine, "thread": lambda: None},
    )
    body = response.json()
    assert (response.status_code, body["error"]) == (503, "unavailable")
    assert response.headers["retry-after"]
    assert "bucket (The bucket is not there.)" in body["detail"]
    assert "model (ValueError)" in body["detail"]
    assert "key" not in body["detail"]
    assert "thread" not in body["detail"]
    assert "hunter2" not in body["detail"]


async def test_readiness_succeeds_if_all_checks_pass() -> None:
    assert (await _get("/readiness", {"a": _fine, "b": lambda: None})).status_code == 200


class _Callable:
    async def __call__(self) -> None:
        await _fails()


@pytest.mark.parametrize(
    "check",
    [
        _fails,
        lambda: _fails(),  # noqa: PLW0108 - not a coroutine function itself
        functools.partial(_fails),
        _Callable(),
    ],
)
async def test_every_kind_of_async_check_is_awaited(check: Check) -> None:
    assert (await _get("/readiness", {"bucket": check})).status_code == 503


async def test_a_hung_check_times_out_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.1)
    release = threading.Event()

    async def hung() -> None:
        await asyncio.Event().wait()

    def hung_in_a_thread() -> None:
        release.wait(60)

    try:
        response = await _get("/readiness", {"one": hung, "two": hung_in_a_thread, "key": _fine})
    finally:
        release.set()
    assert response.status_code == 503
    assert "one (no answer in 0.1 s), two (no answer in 0.1 s)." in response.json()["detail"]
