"""A web service is kept running, and replaced without a gap."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from local.blueprint import WebService
from local.logs import LogFolder
from local.processes import Program
from local.web_services import ServiceFailedError, WebServiceHost

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
        self.host = WebServiceHost(service, program, {}, self.logs["site"], self.urls.append)

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


async def test_a_service_that_ends_at_once_says_its_last_words(site: Site) -> None:
    site.source.write_text("raise SystemExit('BUCKET is not set')\n")
    with pytest.raises(ServiceFailedError, match="exit status 1: BUCKET is not set"):
        await site.host.start()


async def test_reload_switches_over_and_ends_the_old(site: Site) -> None:
    await site.host.start()
    old = site.host.pid
    assert old is not None
    site.source.write_text(SITE.format(text="the second"))
    await site.host.reload()
    assert await site.text() == "the second!"
    await site.host.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(old, 0)


async def test_a_broken_reload_keeps_the_old(site: Site) -> None:
    await site.host.start()
    site.source.write_text("this is no Python\n")
    with pytest.raises(ServiceFailedError, match="SyntaxError"):
        await site.host.reload()
    assert await site.text() == "first!"
    assert not site.host.failed.is_set()


async def test_one_that_ends_right_after_its_start_has_failed(site: Site) -> None:
    await site.host.start()
    assert site.host.pid is not None
    os.kill(site.host.pid, signal.SIGKILL)
    await asyncio.wait_for(site.host.failed.wait(), 5)
    assert site.host.failure.startswith("signal SIGKILL")
