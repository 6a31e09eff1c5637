"""Fakes of the service's ports, and loopback servers that fail on demand."""

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from runner.origin import OriginSecret
from runner.sink import DocumentPayload, DocumentSink
from runner.uploads import Uploads
from shared.errors import ServiceError


class FakeSink(DocumentSink):
    """A store of documents in memory.

    `puts` lists the ids of each request. `before_put` is called first and may raise.
    """

    def __init__(self) -> None:
        self.documents: dict[str, DocumentPayload] = {}
        self.puts: list[list[str]] = []
        self.deleted: list[str] = []
        self.before_put: Callable[[Sequence[DocumentPayload]], None] = lambda documents: None

    async def put(self, documents: Sequence[DocumentPayload], *, timeout_seconds: float) -> None:
        self.puts.append([document["id"] for document in documents])
        self.before_put(documents)
        self.documents |= {document["id"]: document for document in documents}

    async def delete(self, document_id: str, *, timeout_seconds: float) -> None:
        self.deleted.append(document_id)
        self.documents.pop(document_id, None)


class FakeUploads(Uploads):
    """Uploads in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def listing(self, prefix: str, *, limit: int) -> list[tuple[str, int]]:
        found = [(key, len(body)) for key, body in self.files.items() if key.startswith(prefix)]
        return found[: limit + 1]

    def read(self, key: str, *, max_bytes: int) -> tuple[bytes, str]:
        return self.files[key], "binary/octet-stream"

    def size(self, key: str) -> int | None:
        return len(self.files[key]) if key in self.files else None

    def presigned_put(self, key: str, headers: Mapping[str, str], *, seconds: int) -> str:
        return f"https://s3.test/{key}?{seconds}"


class FakeOrigin(OriginSecret):
    """Values that the gateway may send; `read` raises `error` if it is set."""

    def __init__(self, *values: str) -> None:
        self.values = values
        self.reads = 0
        self.error: ServiceError | None = None

    def read(self) -> tuple[str, ...]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.values


class Loopback:
    """An HTTP server on a loopback port; subclasses answer."""

    def __init__(self) -> None:
        self.url = ""

    def respond(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answer one request."""
        raise NotImplementedError

    @contextmanager
    def serving(self) -> Iterator[Any]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                try:
                    outer.respond(self, self.rfile.read(length))
                except OSError:  # the caller has gone: tests kill it
                    self.close_connection = True

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def answer(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    content_type: str = "application/json",
) -> None:
    """Send a whole response."""
    request.send_response(status)
    request.send_header("content-type", content_type)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


class FaultyS3(Loopback):
    """A proxy in front of S3 that makes chosen requests fail.

    Args:
        target: The URL of the real server.

    `fault` gets method and path and returns None or one of: `landed-500` (forward, then answer
    500), `hang`, or the code of an S3 error such as `SlowDown`.
    """

    _STATUS: ClassVar = {
        "SlowDown": 503, "ServiceUnavailable": 503, "AccessDenied": 403,
        "ConditionalRequestConflict": 409, "InternalError": 500,
    }  # fmt: skip

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = urlsplit(target).netloc
        self.fault: Callable[[str, str], str | None] = lambda method, path: None
        self.released = threading.Event()

    def respond(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        fault = self.fault(request.command, request.path)
        if fault == "hang":
            self.released.wait(30)
            request.close_connection = True
            return
        if fault is not None and fault != "landed-500":
            code = f"<Error><Code>{fault}</Code><Message>on purpose</Message></Error>"
            answer(request, self._STATUS[fault], code.encode(), "application/xml")
            return
        connection = http.client.HTTPConnection(self._target, timeout=30)
        try:
            headers = dict(request.headers.items())
            connection.request(request.command, request.path, body or None, headers)
            real = connection.getresponse()
            content = real.read()
        finally:
            connection.close()
        if fault == "landed-500":
            error = b"<Error><Code>InternalError</Code><Message>on purpose</Message></Error>"
            answer(request, 500, error, "application/xml")
            return
        request.send_response(real.status)
        for name, value in real.getheaders():
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                request.send_header(name, value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


@dataclass
class Store(Loopback):
    """A gateway with s3vector behind it, over real sockets.

    `documents` is what is stored, `puts` the ids of each request in the order of arrival.
    `slow` seconds pass before each answer to a PUT.
    """

    key: str
    slow: float = 0.0
    status: int = 200
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    puts: list[list[str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if request.headers.get("x-api-key") != self.key:
            answer(request, 403, b'{"message":"Forbidden"}')
            return
        if request.command == "DELETE":
            self.documents.pop(request.path.rpartition("/")[2], None)
            answer(request, 204)
            return
        documents = json.loads(body)["documents"]
        with self.lock:
            self.puts.append([one["id"] for one in documents])
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.slow)
        with self.lock:
            self.at_once -= 1
            if self.status == 200:
                self.documents |= {one["id"]: one for one in documents}
        answer(request, self.status, b'{"documents":[],"passages":0}')


SCAN: Final = "a page that is one image"


def _shown(line: str) -> str:
    found = re.fullmatch(r"\[(b|\d+)\](.*)", line)
    if found is None:
        return f"({line}) Tj 0 -14 Td"
    font, size = ("F2", "12") if found[1] == "b" else ("F1", found[1])
    return f"/{font} {size} Tf ({found[2]}) Tj /F1 12 Tf 0 -{14 * int(size) // 12} Td"


def make_pdf(pages: Sequence[str], *, title: str = "") -> bytes:
    """Return a PDF with the lines of each text on its page, in Latin-1.

    A page of the text `SCAN` is an image as large as the page. A line may begin with the size of
    its letters in square brackets, or with `[b]` for bold ones.
    """
    kids = " ".join(f"{3 + 2 * index} 0 R" for index in range(len(pages)))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    bold = font.replace("Helvetica", "Helvetica-Bold")
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
    ]
    for index, text in enumerate(pages):
        shown = " ".join(map(_shown, text.split("\n")))
        stream = f"BT /F1 12 Tf 20 700 Td {shown} ET" if text else ""
        if text == SCAN:
            stream = "q 612 0 0 792 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {4 + 2 * index} 0 R "
            f"/Resources << /Font << /F1 {font} /F2 {bold} >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< /Title ({title}) >>")
    content = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(content)
    content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    content += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    return content + f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode()
