"""The console: a page with the estate's URLs and the latest requests, the same as JSON, and faults.

Only requests with the client's API key change anything: they order and cancel faults.
"""

import html
import json
from collections.abc import Callable, Mapping

from local.console import faults_api
from local.console.faults_api import FaultsApi
from local.faults import Faults
from local.gateway.hops import Hops
from local.net.serving import Receive, Scope, Send, respond

_JSON = [("content-type", "application/json")]

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{project}</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}}
table{{border-collapse:collapse}} code{{word-break:break-all}}
td,th{{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}}</style>
<h1>{project} on this machine</h1><table>{rows}</table>
<h2>Latest requests</h2><p><a href="/hops">as JSON</a></p><table>{hops}</table></html>"""


class Console:
    """Serves `/` (a page), `/status`, `/hops?trace=` and `/faults` (JSON)."""

    def __init__(
        self,
        project: str,
        status: Callable[[], Mapping[str, str]],
        hops: Hops,
        faults: Faults,
    ) -> None:
        self._project = project
        self._status = status
        self._hops = hops
        self._faults_api = FaultsApi(faults, lambda: status()["API_KEY"])

    def serves(self, path: str) -> bool:
        return path in {"/", "/status", "/hops", faults_api.PATH}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == faults_api.PATH:
            await self._faults_api(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            await respond(send, 405, [("allow", "GET, HEAD")])
        elif scope["path"] == "/":
            page = [("content-type", "text/html; charset=utf-8")]
            await respond(send, 200, page, self._page().encode())
        else:
            query = scope["query_string"].decode()
            content = self._hops_found(query) if scope["path"] == "/hops" else dict(self._status())
            body = json.dumps(content).encode()
            await respond(send, 200, _JSON, body)

    def _hops_found(self, query: str) -> dict[str, object]:
        trace = query.removeprefix("trace=") if query.startswith("trace=") else None
        found = self._hops.of_trace(trace) if trace else self._hops.latest()
        return {"hops": [hop.as_dict() for hop in found]}

    def _page(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td><code>{html.escape(value)}</code></td></tr>"
            for name, value in self._status().items()
        )
        hops = "".join(
            f"<tr><td>{hop.status}</td><td>{html.escape(hop.caller)}</td><td>{html.escape(hop.method)}</td>"
            f"<td><code>{html.escape(hop.path)}</code></td><td>{hop.duration_ms:.0f} ms</td></tr>"
            for hop in reversed(self._hops.latest(30))
        )
        return _PAGE.format(project=html.escape(self._project), rows=rows, hops=hops)
