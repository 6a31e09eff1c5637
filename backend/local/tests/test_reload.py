"""Reloading: which services a saved file belongs to, and what happens when it is saved."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local.blueprint import SERVICES
from local.reload import declared_changes, reload_on_change, services_of
from services.declared import FILE


@pytest.mark.parametrize(
    ("path", "services"),
    [
        ("api/routes.py", {"api"}),
        ("chat/deep/down.py", {"chat"}),
        ("runner/server.py", {"runner"}),
        ("shared/app.py", set(SERVICES)),
        ("api/tests/test_routes.py", set()),
        ("api/BUILD", set()),
        ("local/up.py", set()),
        ("rotation/handler.py", set()),
    ],
)
def test_a_file_belongs_to_its_service(path: str, services: set[str]) -> None:
    backend = Path("/backend")
    assert services_of([backend / path], backend) == services


@pytest.mark.anyio
async def test_a_saved_file_reloads_its_service_and_a_failure_is_reported(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "chat").mkdir()
    reloaded: asyncio.Queue[str] = asyncio.Queue()
    reports: asyncio.Queue[str] = asyncio.Queue()

    async def reload(service: str) -> None:
        reloaded.put_nowait(service)
        if service == "chat":
            raise SyntaxError("invalid syntax (routes.py, line 3)")

    async def save(path: Path) -> str:
        # The watcher misses changes before it has started: save until it sees one.
        while True:
            path.write_text("x = 1\n")
            try:
                return await asyncio.wait_for(reports.get(), 0.5)
            except TimeoutError:
                continue

    declared = tmp_path / "services.json"
    declared.write_bytes(FILE.read_bytes())
    task = asyncio.create_task(reload_on_change(tmp_path, declared, reload, reports.put_nowait))
    try:
        async with asyncio.timeout(20):
            assert await save(tmp_path / "api" / "routes.py") == "api: reloaded"
            assert reloaded.get_nowait() == "api"
            report = await save(tmp_path / "chat" / "routes.py")
            while report == "api: reloaded":  # a save before the first was seen
                report = await reports.get()
            assert report.startswith(
                "chat: the new code does not start, the old keeps running: invalid"
            )
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.anyio
async def test_a_declared_operation_reloads_its_service_alone_and_a_mistake_is_reported(
    tmp_path: Path,
) -> None:
    declared = tmp_path / "services.json"
    content = json.loads(FILE.read_text("utf-8"))
    declared.write_text(json.dumps(content))
    reports: list[str] = []
    found = declared_changes(declared, reports.append)

    async def save(text: str, *, until: asyncio.Future[set[str]]) -> set[str]:
        await asyncio.sleep(0)  # it reads what is declared now
        # The watcher misses changes before it has started: save until it sees one.
        while not until.done():
            declared.write_text(text)
            await asyncio.wait([until], timeout=0.5)
        return until.result()

    async def next_of(changes: AsyncIterator[set[str]]) -> set[str]:
        return await anext(changes)

    async with asyncio.timeout(20):
        operations = next(iter(content["api"]["access"].values()))
        operations.append("GET /plans")
        waiting = asyncio.ensure_future(next_of(found))
        assert await save(json.dumps(content), until=waiting) == {"api"}
        waiting = asyncio.ensure_future(next_of(found))
        declared.write_text("{")
        while not reports:
            await asyncio.sleep(0.01)
        assert reports[0].startswith("the old declarations stay: ")
        operations.append("GET /plans/{name}")
        assert await save(json.dumps(content), until=waiting) == {"api"}
