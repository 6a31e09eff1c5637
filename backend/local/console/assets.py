"""The built page and its files."""

import hashlib
from pathlib import Path

from local.net.serving import Scope, Send, respond

ASSETS = Path(__file__).with_name("assets")
TOKEN_MARK = "{{console-token}}"  # noqa: S105 - replaced by the token

_PREFIX = "/console/assets/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = [
    ("content-security-policy", _POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
]


class Assets:
    """Serves the page at `/`, with the token that requests that change something need, and the
    files of the folder below `/console/assets/`.
    """

    def __init__(self, token: str, folder: Path = ASSETS) -> None:
        page = (folder / "index.html").read_text(encoding="utf-8")
        self._page = page.replace(TOKEN_MARK, token).encode()
        self._files = {
            _PREFIX + path.name: (_TYPES[path.suffix], path.read_bytes())
            for path in folder.iterdir()
            if path.suffix in _TYPES
        }

    def serves(self, path: str) -> bool:
        return path == "/" or path in self._files

    async def __call__(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await respond(send, 405, [("allow", "GET, HEAD")])
        elif scope["path"] == "/":
            html = ("content-type", "text/html; charset=utf-8")
            await respond(send, 200, [html, ("cache-control", "no-store"), *_SAFE], self._page)
        else:
            await self._send_file(scope, send)

    async def _send_file(self, scope: Scope, send: Send) -> None:
        media_type, content = self._files[scope["path"]]
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        headers = [("etag", tag), ("cache-control", "no-cache"), *_SAFE]
        if dict(scope["headers"]).get(b"if-none-match") == tag.encode():
            await respond(send, 304, headers)
        else:
            await respond(send, 200, [("content-type", media_type), *headers], content)
