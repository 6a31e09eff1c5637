"""An export ends within its time limit whatever the collector does, and pauses after a failure."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from werkzeug.serving import make_ssl_devcert

from shared.conftest import Lines
from shared.telemetry.export import otlp_http
from shared.telemetry.export.exporter import traces_url
from shared.telemetry.export.otlp_http import OtlpHttpExporter
from shared.tests.collector import decode_json, faulty_collector
from shared.tests.servers import unused_port

SUCCESS, FAILURE = SpanExportResult
_LIMIT_SECONDS = 0.25
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

Behaviour = Callable[["Peer", socket.socket], None]
Exporting = Callable[[str], OtlpHttpExporter]


class Peer(ThreadingTCPServer):
    """A collector with one behaviour for each connection; the last one repeats."""

    daemon_threads = True

    def __init__(self, behaviours: tuple[Behaviour, ...], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), BaseRequestHandler)
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.closed = threading.Semaphore(0)
        """Released once for each connection that has been closed."""
        self.ended = threading.Event()
        self._behaviours = behaviours
        self._tls = tls
        port = self.server_address[1]
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"

    def finish_request(self, request: Any, client_address: object) -> None:
        behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
        self.connections += 1
        with suppress(OSError):  # the client closed the connection
            connection = self._tls.wrap_socket(request, server_side=True) if self._tls else request
            with connection:
                behaviour(self, connection)
        self.closed.release()

    def read(self, connection: socket.socket) -> bool:
        """Read one request. Return False if the client has closed the connection."""
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return False
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
        self.heads.append(head)
        self.bodies.append(body)
        return True


@contextmanager
def _peer(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    with Peer(behaviours, tls) as peer:
        threading.Thread(target=peer.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield peer
        finally:
            peer.ended.set()
            peer.shutdown()


def _answering(answer: bytes = _OK) -> Behaviour:
    """Answer each request. A `|` in the answer separates pieces that are sent one by one."""

    def behave(peer: Peer, connection: socket.socket) -> None:
        while peer.read(connection):
            for piece in answer.split(b"|"):
                connection.sendall(piece)
                peer.ended.wait(0.01)

    return behave


def _dripping(at_once: bytes, slowly: bytes) -> Behaviour:
    """Send a good answer that takes 50 s, in pieces at most 50 ms apart."""

    def behave(peer: Peer, connection: socket.socket) -> None:
        peer.read(connection)
        connection.sendall(at_once)
        for byte in slowly:
            connection.sendall(bytes([byte]))
            if peer.ended.wait(0.05):
                return

    return behave


def _answer_once(peer: Peer, connection: socket.socket) -> None:
    """Answer one request and close without notice, as an idle time-out does."""
    peer.read(connection)
    connection.sendall(_OK)


def _close(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)


def _hang(peer: Peer, connection: socket.socket) -> None:
    while peer.read(connection):
        pass


def _read_slowly(peer: Peer, connection: socket.socket) -> None:
    """Read all of a request, so slowly that it takes longer than the limit."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while connection.recv(4096):
        if peer.ended.wait(0.05):
            return


@pytest.fixture(autouse=True)
def _quiet(lines: Lines) -> None:
    """Warnings of the exporter go to the captured lines."""


@pytest.fixture(params=["http", "https"])
def tls(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext | None:
    """The collector's side of TLS, with a certificate that this process trusts."""
    if request.param == "http":
        return None
    certificate, key = make_ssl_devcert(str(tmp_path / "collector"), host="localhost")
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def exporting() -> Iterator[Exporting]:
    made: list[OtlpHttpExporter] = []

    def make(url: str) -> OtlpHttpExporter:
        made.append(OtlpHttpExporter(traces_url(url), _LIMIT_SECONDS))
        return made[-1]

    yield make
    for exporter in made:
        exporter.shutdown()


@pytest.fixture
def spans() -> list[ReadableSpan]:
    return _make(1)


def _make(count: int, size: int = 10) -> list[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for number in range(count):
        with provider.get_tracer("t").start_as_current_span(f"span {number}") as span:
            span.set_attribute("pad", "x" * size)
    return list(kept.get_finished_spans())


def test_spans_arrive_as_an_otlp_request_with_the_configured_headers(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "x-token=a%20b,broken,x-forged=a%0d%0aX-Evil:1"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", value)
    with _peer(_answering()) as peer:
        assert exporting(peer.url).export(spans) is SUCCESS
    assert [span.name for span in decode_json(peer.bodies[0])] == ["span 0"]
    head = peer.heads[0].decode()
    assert head.startswith("POST /v1/traces HTTP/1.1\r\n")
    assert "content-type: application/json" in head
    assert f"host: {peer.url.removeprefix('http://')}" in head
    assert "x-token: a b" in head
    assert "Evil" not in head


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/v1/traces"), ("/", "/v1/traces"), ("/a", "/a/v1/traces"), ("/v1/traces", "/v1/traces")],
)
def test_the_path_is_added_where_it_is_missing(path: str, expected: str) -> None:
    assert traces_url(f"http://c:4318{path}") == f"http://c:4318{expected}"


def test_batches_of_any_size_arrive_over_one_connection(
    exporting: Exporting, spans: list[ReadableSpan], tls: ssl.SSLContext | None
) -> None:
    with _peer(_answering(), tls=tls) as peer:
        exporter = exporting(peer.url)
        batches = (spans, _make(40, size=10_000), spans)
        assert [exporter.export(batch) for batch in batches] == [SUCCESS] * 3
    assert (peer.connections, len(peer.bodies[1]) > 400_000) == (1, True)


def test_a_connection_that_went_stale_is_replaced_and_nothing_is_sent_twice(
    exporting: Exporting, spans: list[ReadableSpan], tls: ssl.SSLContext | None
) -> None:
    with _peer(_answer_once, tls=tls) as peer:
        exporter = exporting(peer.url)
        for number in range(1, 4):
            assert exporter.export(spans) is SUCCESS
            assert peer.closed.acquire(timeout=30)
            assert (peer.connections, len(peer.bodies)) == (number, number)


@pytest.mark.parametrize(
    "behaviour",
    [
        _hang,
        _dripping(b"", _OK.replace(b"\r\n\r\n", b"\r\nx-pad: " + b"x" * 1000 + b"\r\n\r\n")),
        _dripping(_OK.replace(b"0\r\n\r\n", b"1000\r\n\r\n"), b"x" * 1000),
        _read_slowly,
    ],
    ids=["hangs", "drips the head", "drips the body", "reads slowly"],
)
def test_one_limit_applies_to_the_whole_export(
    exporting: Exporting, behaviour: Behaviour, tls: ssl.SSLContext | None, lines: Lines
) -> None:
    # If the limit applied to each operation, all cases but the first would succeed.
    spans = _make(400, size=10_000) if behaviour is _read_slowly else _make(1)
    with _peer(behaviour, tls=tls) as peer:
        assert exporting(peer.url).export(spans) is FAILURE
        # The thread of the export ends and closes its connection.
        assert behaviour is _read_slowly or peer.closed.acquire(timeout=30)
    [line] = lines.of("tracing_export_failed")
    assert "TimeoutError" in line["detail"]
    assert line["spans_lost"] == len(spans)


def test_the_limit_holds_for_connecting(exporting: Exporting, lines: Lines) -> None:
    with faulty_collector("down") as url:
        assert exporting(url).export(_make(1)) is FAILURE
    [line] = lines.of("tracing_export_failed")
    assert "TimeoutError" in line["detail"]


def test_the_limit_holds_for_the_look_up_of_the_host(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(60))
    assert exporting("http://collector:4318").export(spans) is FAILURE
    assert not ended.is_set()
    ended.set()


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        *((b"HTTP/1.1 %d No\r\ncontent-length: 3\r\n\r\nsad" % n, 1) for n in (400, 429, 503)),
        *(
            (nonsense, 2)
            for nonsense in (b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"x" * 100_000)
        ),
    ],
)
def test_an_error_is_a_failure_and_only_after_nonsense_the_connection_is_replaced(
    exporting: Exporting,
    answer: bytes,
    connections: int,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 0.0)
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(2)] == [FAILURE] * 2
    assert peer.connections == connections


def test_after_a_failure_nothing_is_sent_for_a_while_and_longer_each_time(
    exporting: Exporting, spans: list[ReadableSpan], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    exporter = exporting(f"http://127.0.0.1:{unused_port()}")
    for _ in range(8):
        assert not exporter.is_paused
        exporter.export(spans)
        assert exporter.is_paused
        exporter.export(spans)  # not attempted, and not logged
        now += lines.of("tracing_export_failed")[-1]["next_attempt_seconds"]
    pauses = [line["next_attempt_seconds"] for line in lines.of("tracing_export_failed")]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_collector_that_recovers_gets_spans_again_and_the_next_pause_is_short(
    exporting: Exporting, spans: list[ReadableSpan], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 1e-9)
    with _peer(_close, _close, _answer_once, _close) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(4)] == [FAILURE, FAILURE, SUCCESS, FAILURE]
    pauses = [line["next_attempt_seconds"] for line in lines.of("tracing_export_failed")]
    assert pauses == [1e-9, 2e-9, 1e-9]


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n|ok|ok", 1),
        (b"HTTP/1.1 200 OK\r\n|Date: later\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 3),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", 3),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000, 3),
    ],
)
def test_an_answer_is_read_to_its_end_or_the_connection_is_replaced(
    exporting: Exporting, spans: list[ReadableSpan], answer: bytes, connections: int
) -> None:
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(3)] == [SUCCESS] * 3
    assert (peer.connections, len(peer.bodies)) == (connections, 3)


@pytest.mark.parametrize("tls", ["https"], indirect=True)
def test_a_certificate_that_nobody_trusts_is_a_failure(
    exporting: Exporting,
    spans: list[ReadableSpan],
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with _peer(_answering(), tls=tls) as peer:
        assert exporting(peer.url).export(spans) is FAILURE
    assert peer.bodies == []
