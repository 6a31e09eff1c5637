"""An export ends within its time limit whatever the collector does, and pauses after a failure."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509  # pants: no-infer-dep (moto and pypdf bring it)
from cryptography.hazmat.primitives.asymmetric import ec  # pants: no-infer-dep
from cryptography.hazmat.primitives.hashes import SHA256  # pants: no-infer-dep
from cryptography.hazmat.primitives.serialization import (
    Encoding,  # pants: no-infer-dep
    NoEncryption,  # pants: no-infer-dep
    PrivateFormat,  # pants: no-infer-dep
)
from cryptography.x509.oid import NameOID  # pants: no-infer-dep
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.conftest import Lines
from shared.telemetry.export import otlp_http
from shared.telemetry.export.exporter import traces_url
from shared.telemetry.export.otlp_http import OtlpHttpExporter
from shared.tests.collector import decode_json, faulty_collector
from shared.tests.servers import unused_port

_LIMIT_SECONDS = 0.25
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

Behaviour = Callable[["Peer", socket.socket], None]
Exporting = Callable[[str], OtlpHttpExporter]


class Peer:
    """A collector that treats its first connection by the first behaviour, and so on."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.closed = threading.Semaphore(0)
        """Released once for each connection that this side has closed."""
        self.ended = threading.Event()
        self._behaviours = behaviours
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.ended.set()
        self._listener.close()

    def read(self, connection: socket.socket) -> bool:
        """Read one request; false where the client has closed."""
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

    def _serve(self) -> None:
        with suppress(OSError):  # the test has ended
            while True:
                connection, _ = self._listener.accept()
                behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
                self.connections += 1
                threading.Thread(
                    target=self._treat, args=(behaviour, connection), daemon=True
                ).start()

    def _treat(self, behaviour: Behaviour, connection: socket.socket) -> None:
        with suppress(OSError):  # the client closed the connection
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                behaviour(self, connection)
        self.closed.release()


@contextmanager
def _peer(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    peer = Peer(*behaviours, tls=tls)
    try:
        yield peer
    finally:
        peer.close()


def _answering(answer: bytes = _OK) -> Behaviour:
    """Answer each request, piece by piece where the answer has a `|`."""

    def behave(peer: Peer, connection: socket.socket) -> None:
        while peer.read(connection):
            for piece in answer.split(b"|"):
                connection.sendall(piece)
                peer.ended.wait(0.01)

    return behave


def _answer_once(peer: Peer, connection: socket.socket) -> None:
    """Answer one request and close without notice, as an idle time-out does."""
    peer.read(connection)
    connection.sendall(_OK)


def _close(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)


def _hang(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    peer.ended.wait(60)


def _answer_late(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    peer.ended.wait(10)
    connection.sendall(_OK)


def _drip(peer: Peer, connection: socket.socket) -> None:
    """Send a good answer that takes 20 s, with no silence longer than 50 ms."""
    peer.read(connection)
    for byte in b"HTTP/1.1 200 OK\r\nx-pad: " + b"x" * 320 + b"\r\ncontent-length: 0\r\n\r\n":
        connection.sendall(bytes([byte]))
        if peer.ended.wait(0.05):
            return


def _drip_body(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n")
    for _ in range(400):
        connection.sendall(b"x")
        if peer.ended.wait(0.05):
            return


def _read_slowly(peer: Peer, connection: socket.socket) -> None:
    """Read all of a request, so slowly that it takes longer than the limit."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while connection.recv(4096):
        if peer.ended.wait(0.05):
            return


@pytest.fixture(autouse=True)
def _quiet(lines: Lines) -> None:
    """Warnings of the exporter go to the captured lines."""


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


def test_spans_arrive_as_an_otlp_request(exporting: Exporting, spans: list[ReadableSpan]) -> None:
    with _peer(_answering()) as peer:
        assert exporting(peer.url).export(spans) is True
    assert [span.name for span in decode_json(peer.bodies[0])] == ["span 0"]
    head = peer.heads[0].decode()
    assert head.startswith("POST /v1/traces HTTP/1.1\r\n")
    assert "content-type: application/json" in head
    assert f"Host: {peer.url.removeprefix('http://')}" in head


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/v1/traces"),
        ("/", "/v1/traces"),
        ("/base", "/base/v1/traces"),
        ("/v1/traces", "/v1/traces"),
    ],
)
def test_the_path_is_added_where_it_is_missing(
    exporting: Exporting, path: str, asked: str, spans: list[ReadableSpan]
) -> None:
    with _peer(_answering()) as peer:
        exporting(peer.url + path).export(spans)
    assert peer.heads[0].startswith(f"POST {asked} HTTP/1.1".encode())


def test_a_connection_is_kept(exporting: Exporting, spans: list[ReadableSpan]) -> None:
    with _peer(_answering()) as peer:
        exporter = exporting(peer.url)
        for _ in range(5):
            assert exporter.export(spans) is True
    assert (peer.connections, len(peer.bodies)) == (1, 5)


def test_a_connection_that_went_stale_is_replaced_and_nothing_is_sent_twice(
    exporting: Exporting, spans: list[ReadableSpan]
) -> None:
    with _peer(_answer_once) as peer:
        exporter = exporting(peer.url)
        for number in range(1, 4):
            assert exporter.export(spans) is True
            assert peer.closed.acquire(timeout=30)
            assert (peer.connections, len(peer.bodies)) == (number, number)


_SLOW = [_hang, _answer_late, _drip, _drip_body]


@pytest.mark.parametrize("behaviour", [*_SLOW, _read_slowly])
def test_one_limit_holds_for_the_whole_export(
    exporting: Exporting, behaviour: Behaviour, lines: Lines
) -> None:
    # Each of these would succeed, or wait for a minute, if a limit held for each operation only.
    spans = _make(400, size=10_000) if behaviour is _read_slowly else _make(1)
    with _peer(behaviour) as peer:
        assert exporting(peer.url).export(spans) is False
    [line] = lines.of("tracing_export_failed")
    assert "TimeoutError" in line["detail"]
    assert line["spans_lost"] == len(spans)


def test_the_limit_holds_for_connecting(exporting: Exporting, lines: Lines) -> None:
    with faulty_collector("down") as url:
        assert exporting(url).export(_make(1)) is False
    [line] = lines.of("tracing_export_failed")
    assert "TimeoutError" in line["detail"]


def test_a_collector_that_moves_is_found_again(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 0.0)
    resolve, gone = socket.getaddrinfo, ["127.0.0.2"]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: resolve(gone.pop() if gone else host, *rest, **more),
    )
    with _peer(_answering()) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(3)] == [False, True, True]
    assert len(peer.bodies) == 2


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_an_error_is_a_failure_and_the_connection_stays_open(
    exporting: Exporting, status: int, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 0.0)
    answer = f"HTTP/1.1 {status} No\r\ncontent-length: 3\r\n\r\nsad".encode()
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(2)] == [False, False]
    assert peer.connections == 1


@pytest.mark.parametrize(
    "answer",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\r\n\r\n", b"x" * 100_000],
)
def test_nonsense_is_a_failure(
    exporting: Exporting, answer: bytes, spans: list[ReadableSpan]
) -> None:
    with _peer(_answering(answer)) as peer:
        assert exporting(peer.url).export(spans) is False


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
        assert [exporter.export(spans) for _ in range(4)] == [False, False, True, False]
    pauses = [line["next_attempt_seconds"] for line in lines.of("tracing_export_failed")]
    assert pauses == [1e-9, 2e-9, 1e-9]


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n|ok|ok", 1),
        (b"HTTP/1.1 200 OK\r\n|Date: later\r\nContent-Length: 0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", 3),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000, 3),
    ],
)
def test_an_answer_is_read_to_its_end_or_the_connection_is_replaced(
    exporting: Exporting, spans: list[ReadableSpan], answer: bytes, connections: int
) -> None:
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(3)] == [True, True, True]
    assert (peer.connections, len(peer.bodies)) == (connections, 3)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side, whose certificate this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    trusted, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    trusted.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # gone with the test
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context


def test_over_tls_batches_of_any_size_arrive_and_a_stale_connection_is_replaced(
    exporting: Exporting, spans: list[ReadableSpan], tls: ssl.SSLContext
) -> None:
    large = _make(40, size=10_000)
    with _peer(_answering(), tls=tls) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(batch) for batch in (spans, large, spans)] == [True] * 3
    assert (peer.connections, len(peer.bodies[1]) > 400_000) == (1, True)
    with _peer(_answer_once, _answering(), tls=tls) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(3)] == [True] * 3
    assert peer.connections == 2


@pytest.mark.parametrize("behaviour", [*_SLOW, _read_slowly])
def test_over_tls_the_same_limit_holds(
    exporting: Exporting, tls: ssl.SSLContext, behaviour: Behaviour, lines: Lines
) -> None:
    spans = _make(400, size=10_000) if behaviour is _read_slowly else _make(1)
    with _peer(behaviour, tls=tls) as peer:
        assert exporting(peer.url).export(spans) is False
    assert "TimeoutError" in lines.of("tracing_export_failed")[0]["detail"]


def test_a_certificate_that_nobody_trusts_is_a_failure(
    exporting: Exporting,
    spans: list[ReadableSpan],
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with _peer(_answering(), tls=tls) as peer:
        assert exporting(peer.url).export(spans) is False
    assert peer.bodies == []


def test_headers_come_from_the_standards_variable(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "x-token=a%20b,broken,x-forged=a%0d%0aX-Evil:1"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", value)
    with _peer(_answering()) as peer:
        assert exporting(peer.url).export(spans) is True
    assert b"x-token: a b" in peer.heads[0]
    assert b"Evil" not in peer.heads[0]
