"""An export ends within its bound whatever the collector does, and costs nothing while it fails."""

import itertools
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
from shared.telemetry import otlp_http
from shared.telemetry.otlp_http import OtlpHttpExporter
from shared.tests.collector import decode
from shared.tests.servers import unused_port

_BOUND = 0.25
_AT_MOST = 0.3
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

Behaviour = Callable[[socket.socket], None]
Exporting = Callable[[str], OtlpHttpExporter]


class Peer:
    """A collector that does, connection for connection, what it is told."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []
        self.connections = 0
        self._behaviours = list(behaviours)
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        self._listener.close()

    def wait(self) -> None:
        """Do nothing until the test is over."""
        self._ended.wait(60)

    def read(self, connection: socket.socket) -> bytes:
        """One request's body; empty where the client is gone."""
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return b""
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
        self.heads.append(head)
        self.bodies.append(body)
        return body

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            threading.Thread(target=self._run, args=(behaviour, connection), daemon=True).start()

    def _run(self, behaviour: Behaviour, connection: socket.socket) -> None:
        with suppress(OSError):  # the client hung up, which is what is tested
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                behaviour(connection)


@contextmanager
def _peer(*make: Callable[[Peer], Behaviour], tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    peer = Peer(tls=tls)
    peer._behaviours = [one(peer) for one in make]
    try:
        yield peer
    finally:
        peer.close()


def _answering(answer: bytes = _OK) -> Callable[[Peer], Behaviour]:
    def make(peer: Peer) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            while peer.read(connection):
                connection.sendall(answer)

        return behave

    return make


def _hanging(peer: Peer) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        peer.read(connection)
        peer.wait()

    return behave


def _late(peer: Peer) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        peer.read(connection)
        peer._ended.wait(5)
        connection.sendall(_OK)

    return behave


def _dripping(peer: Peer) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        peer.read(connection)
        for _ in range(2000):
            connection.sendall(b"H")
            if peer._ended.wait(0.02):
                return

    return behave


def _unread(peer: Peer) -> Behaviour:
    def behave(_connection: socket.socket) -> None:
        peer.wait()

    return behave


def _closing(peer: Peer) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        peer.read(connection)

    return behave


def _once(peer: Peer) -> Behaviour:
    """Answers one request and closes without a word, as an idle time-out does."""

    def behave(connection: socket.socket) -> None:
        peer.read(connection)
        connection.sendall(_OK)

    return behave


def _in_pieces(*answers: bytes) -> Callable[[Peer], Behaviour]:
    """Answers one request after the other, a piece at a time, and the last answer ever after."""

    def make(peer: Peer) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            for number in itertools.count():
                if not peer.read(connection):
                    return
                for piece in answers[min(number, len(answers) - 1)].split(b"|"):
                    connection.sendall(piece)
                    peer._ended.wait(0.01)

        return behave

    return make


@pytest.fixture(autouse=True)
def _quiet(lines: Lines) -> None:
    """Warnings of the exporter go to the captured lines."""


@pytest.fixture
def exporting() -> Iterator[Exporting]:
    made: list[OtlpHttpExporter] = []

    def make(url: str) -> OtlpHttpExporter:
        made.append(OtlpHttpExporter(url, _BOUND))
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


def _timed(exporter: OtlpHttpExporter, spans: list[ReadableSpan]) -> tuple[bool, float]:
    began = time.perf_counter()
    result = exporter.export(spans)
    return result, time.perf_counter() - began


def test_spans_arrive_as_an_otlp_request(exporting: Exporting, spans: list[ReadableSpan]) -> None:
    with _peer(_answering()) as peer:
        assert exporting(peer.url).export(spans) is True
    assert [span.name for span in decode(peer.bodies[0])] == ["span 0"]
    head = peer.heads[0].decode()
    assert head.startswith("POST /v1/traces HTTP/1.1\r\n")
    assert "Content-Type: application/x-protobuf" in head
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
    exporting: Exporting,
    spans: list[ReadableSpan],
) -> None:
    with _peer(_once, _once, _once) as peer:
        exporter = exporting(peer.url)
        for number in range(1, 4):
            assert exporter.export(spans) is True
            kept = exporter._connection
            assert kept is not None
            _until_closed(kept)
            assert len(peer.bodies) == number
    assert peer.connections == 3


def _until_closed(connection: otlp_http._Connection) -> None:
    connection.bound(10)
    assert connection.socket.recv(1, socket.MSG_PEEK) == b""


@pytest.mark.parametrize("behaviour", [_hanging, _late, _dripping, _unread, _closing])
def test_no_collector_takes_longer_than_the_bound(
    exporting: Exporting, behaviour: Callable[[Peer], Behaviour]
) -> None:
    # Large, so that a peer which does not read lets the send wait.
    large = _make(400, size=10_000) if behaviour is _unread else _make(1)
    with _peer(behaviour) as peer:
        result, seconds = _timed(exporting(peer.url), large)
    assert not result
    assert seconds < _AT_MOST + (0.5 if behaviour is _unread else 0)  # 4 MB to encode before


def test_a_collector_that_is_down_costs_nothing(
    exporting: Exporting, spans: list[ReadableSpan]
) -> None:
    exporter = exporting(f"http://127.0.0.1:{unused_port()}")
    assert not _timed(exporter, spans)[0]
    assert _timed(exporter, spans)[1] < 0.05


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
def test_an_error_is_a_failure_and_the_connection_goes_on(
    exporting: Exporting, status: int, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 0.0)
    answer = f"HTTP/1.1 {status} No\r\ncontent-length: 3\r\n\r\nsad".encode()
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert exporter.export(spans) is False
        assert exporter.export(spans) is False
    assert peer.connections == 1


@pytest.mark.parametrize(
    "answer",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\r\n\r\n", b"x" * 100_000],
)
def test_nonsense_is_a_failure(
    exporting: Exporting, answer: bytes, spans: list[ReadableSpan]
) -> None:
    with _peer(_answering(answer)) as peer:
        result, seconds = _timed(exporting(peer.url), spans)
    assert (result, seconds < _AT_MOST) == (False, True)


def test_after_a_failure_nothing_is_tried_for_a_while_and_longer_each_time(
    exporting: Exporting, spans: list[ReadableSpan], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    exporter = exporting(f"http://127.0.0.1:{unused_port()}")
    for _ in range(8):
        assert not exporter.is_paused
        exporter.export(spans)
        assert exporter.is_paused
        exporter.export(spans)  # refused, and not told again
        now += lines.of("tracing_export_failed")[-1]["next_attempt_seconds"]
    pauses = [line["next_attempt_seconds"] for line in lines.of("tracing_export_failed")]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_collector_that_comes_back_gets_spans_again(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 0.0)
    with _peer(_hanging, _answering()) as peer:
        exporter = exporting(peer.url)
        assert exporter.export(spans) is False
        assert exporter.export(spans) is True
    assert exporter._failures == 0


def test_an_answer_is_read_to_its_end_however_it_comes(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_http, "FIRST_PAUSE_SECONDS", 0.0)
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n|ok|ok"
    failed = b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\n|ok|ok"
    later = b"HTTP/1.1 200 OK\r\n|Date: later\r\nContent-Length: 0\r\n\r\n"
    with _peer(_in_pieces(ok, ok, failed, ok, later, _OK, _OK, failed, _OK)) as peer:
        exporter = exporting(peer.url)
        taken = [exporter.export(spans) for _ in range(9)]
    assert taken == [True, True, False, True, True, True, True, False, True]
    assert (peer.connections, len(peer.bodies)) == (1, 9)


@pytest.mark.parametrize("more", [b"connection: close\r\n", b"Connection:close\r\n", b""])
def test_a_connection_that_the_collector_gives_up_or_garbles_is_not_used_again(
    exporting: Exporting, more: bytes, spans: list[ReadableSpan]
) -> None:
    surplus = b"" if more else b"surplus"
    answer = b"HTTP/1.1 200 OK\r\n" + more + b"content-length: 0\r\n\r\n" + surplus
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert [exporter.export(spans) for _ in range(3)] == [True, True, True]
    assert peer.connections == 3


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
    with _peer(_once, _answering(), tls=tls) as peer:
        exporter = exporting(peer.url)
        for _ in range(3):
            assert exporter.export(spans) is True
    assert peer.connections == 2


@pytest.mark.parametrize("behaviour", [_hanging, _dripping, _closing])
def test_over_tls_no_collector_takes_longer_than_the_bound(
    exporting: Exporting, tls: ssl.SSLContext, behaviour: Callable[[Peer], Behaviour]
) -> None:
    with _peer(behaviour, tls=tls) as peer:
        result, seconds = _timed(exporting(peer.url), _make(1))
    assert not result
    assert seconds < _AT_MOST


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


def test_an_answer_of_unknown_length_ends_the_connection(
    exporting: Exporting, spans: list[ReadableSpan]
) -> None:
    answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    with _peer(_answering(answer)) as peer:
        exporter = exporting(peer.url)
        assert exporter.export(spans) is True
        assert exporter.export(spans) is True
    assert peer.connections == 2


def test_headers_come_from_the_standards_variable(
    exporting: Exporting, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "x-token=a%20b,broken,x-forged=a%0d%0aX-Evil: 1"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", value)
    with _peer(_answering()) as peer:
        exporter = exporting(peer.url)
        exporter.export(spans)
    assert b"x-token: a b" in peer.heads[0]
    assert b"Evil" not in peer.heads[0]
