"""The console: a web application that shows the running estate, and its API.

Only requests with the page's token, or with the client's API key, change anything.
"""

import json
import secrets

from local.console import faults_api
from local.console.app import PREFIX, create_app
from local.console.assets import Assets
from local.console.faults_api import FaultsApi
from local.console.parts import Parts
from local.console.services import Services
from local.net.serving import Receive, Scope, Send, respond

_JSON = [("content-type", "application/json")]


class Console:
    """Serves the page at `/`, its API and files below `/console/`, and as JSON `/status`,
    `/hops?trace=` and `/faults`.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        token = secrets.token_urlsafe(24)
        self._services = Services.over(parts)
        self._assets = Assets(token)
        self._application = create_app(self._services, token)
        self._faults_api = FaultsApi(parts.faults, lambda: parts.variables()["API_KEY"])

    async def close(self) -> None:
        """End the page's streams and uploads."""
        await self._services.close()

    def serves(self, path: str) -> bool:
        return path in {"/", "/status", "/hops", faults_api.PATH} or path.startswith(PREFIX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path == faults_api.PATH:
            await self._faults_api(scope, receive, send)
        elif self._assets.serves(path):
            await self._assets(scope, send)
        elif path.startswith(PREFIX):
            await self._application(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            await respond(send, 405, [("allow", "GET, HEAD")])
        else:
            query = scope["query_string"].decode()
            status = dict(self._parts.variables())
            content = self._hops_found(query) if path == "/hops" else status
            await respond(send, 200, _JSON, json.dumps(content).encode())

    def _hops_found(self, query: str) -> dict[str, object]:
        hops = self._parts.hops
        trace = query.removeprefix("trace=") if query.startswith("trace=") else None
        found = hops.of_trace(trace) if trace else hops.latest()
        return {"hops": [hop.as_dict() for hop in found]}
