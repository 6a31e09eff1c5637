"""A web service keeps running, and is replaced without a gap."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from local.blueprint import WebService
from local.compute import web_services
from local.compute.logs import LogFolder
from local.compute.processes import Program
from local.compute.web_services import ServiceFailedError, WebServiceHost

pytestmark = pytest.mark.anyio

SITE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write({text!r}.encode() + os.environ["OWN"].encode())
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Site:
    """A web service whose source the test writes."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "site_under_test.py"
        self.urls: list[str] = []
        self.logs = LogFolder(folder / "logs")
        service = WebService("test-site", "site", "site_under_test", {"OWN": "!"})
        program = Program("site_under_test", path=(folder,), working_directory=folder)
        self.reports: list[str] = []
        self.host = WebServiceHost(
            service,
            program,
            {},
            self.logs["site"],
            on_url=self.urls.append,
            report=self.reports.append,
        )

    async def text(self) -> str:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.urls[-1]}/")).text


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    made.source.write_text(SITE.format(text="first"))
    yield made
    await made.host.stop()
    made.logs.close()


async def test_it_is_ready_once_it_is_healthy(site: Site) -> None:
    await site.host.start()
    assert await site.text() == "first!"


async def test_a_service_that_does_not_start_is_reported_with_its_last_output(site: Site) -> None:
    site.source.write_text("raise SystemExit('BUCKET is not set')\n")
    with pytest.raises(ServiceFailedError, match="exit status 1: BUCKET is not set"):
        await site.host.start()


async def test_the_reported_reason_is_the_last_error_not_what_is_logged_after_it(
    site: Site,
) -> None:
    closed = '{"event":"Application shutdown complete.","level":"info"}'
    reason = '{"event":"address already in use","level":"error"}'
    site.source.write_text(f"print({reason!r})\nprint({closed!r})\nraise SystemExit(3)\n")
    with pytest.raises(ServiceFailedError, match=r"exit status 3: .*address already in use"):
        await site.host.start()


async def test_a_client_cannot_take_its_port_while_it_starts(site: Site) -> None:
    """The service prints its port, and listens there once the test has tried to take it."""
    begin = site.source.with_name("begin")
    site.source.write_text(
        "import os, pathlib, time\n"
        "print(os.environ['PORT'], flush=True)\n"
        f"while not pathlib.Path({str(begin)!r}).exists(): time.sleep(0.01)\n"
        + SITE.format(text="first")
    )
    starting = asyncio.create_task(site.host.start())
    while not (port := site.logs["site"].path.read_text()):
        await asyncio.sleep(0.01)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", int(port)))
    begin.touch()
    await starting
    assert await site.text() == "first!"


async def test_reload_switches_to_the_new_process_and_ends_the_old(site: Site) -> None:
    await site.host.start()
    old = site.host.pid
    assert old is not None
    site.source.write_text(SITE.format(text="the second"))
    await site.host.reload()
    assert await site.text() == "the second!"
    await site.host.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(old, 0)


async def test_a_stopped_service_starts_again(site: Site) -> None:
    await site.host.start()
    await site.host.stop()
    assert (site.host.alive, site.host.is_stopped) == (False, True)
    await site.host.start()
    assert await site.text() == "first!"
    await site.host.reload()
    assert (site.host.is_stopped, site.host.starts, site.host.restarts) == (False, 3, 1)


async def test_a_broken_reload_keeps_the_old(site: Site) -> None:
    await site.host.start()
    site.source.write_text("this is no Python\n")
    with pytest.raises(ServiceFailedError, match="SyntaxError"):
        await site.host.reload()
    assert await site.text() == "first!"
    assert site.reports == []


async def test_a_service_that_keeps_crashing_starts_again_after_longer_pauses(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_services, "_CRASH_SECONDS", 1000.0)
    monkeypatch.setattr(web_services, "_FIRST_PAUSE_SECONDS", 0.1)
    await site.host.start()
    for starts in range(2, 5):
        assert site.host.pid is not None
        os.kill(site.host.pid, signal.SIGKILL)
        await _until(lambda expected=starts: len(site.urls) == expected)  # type: ignore[misc]
        assert await site.text() == "first!"
    assert [line.partition(":")[0] for line in site.reports] == [
        "site ended and starts again",
        "site ended and starts again in 0.1 s",
        "site ended and starts again in 0.2 s",
    ]
    assert site.reports[0].endswith(": signal SIGKILL: it printed nothing")


async def test_a_service_whose_replacement_does_not_start_is_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_services, "_FIRST_PAUSE_SECONDS", 0.1)
    await site.host.start()
    works = site.source.read_text()
    site.source.write_text("raise SystemExit('the disk is full')\n")
    assert site.host.pid is not None
    os.kill(site.host.pid, signal.SIGKILL)
    await _until(lambda: any("exit status 1: the disk is full" in line for line in site.reports))
    site.source.write_text(works)
    await _until(lambda: len(site.urls) == 2)
    assert await site.text() == "first!"


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)
