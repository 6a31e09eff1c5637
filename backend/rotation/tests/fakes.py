"""Loopback fakes: a gateway that checks keys, and API Gateway's usage API."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, object]]


@dataclass
class FakeGateway:
    """A loopback HTTP server that answers with the result of a function.

    Args:
        answer: Takes the path and the `x-api-key`; returns the status and the JSON body.
    """

    answer: Callable[[str, str | None], Answer]
    calls: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator["FakeGateway"]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = self.headers.get("x-api-key")
                gateway.calls.append((self.path, key))
                status, body = gateway.answer(self.path, key)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                if status in {301, 302}:
                    self.send_header("location", f"{gateway.url}/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
