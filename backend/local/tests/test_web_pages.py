"""No port of the running estate answers a web page of another site."""

import http.client
import urllib.parse

import pytest

from local.conftest import RunningUp
from local.tests.listening_ports import listening

_FOREIGN = {
    "rebound host": {"Host": "evil.example"},
    "foreign origin": {"Origin": "https://evil.example"},
    "sandboxed page": {"Origin": "null"},
    "both": {"Host": "evil.example", "Origin": "https://evil.example"},
}


@pytest.fixture(scope="module")
def ports(estate: RunningUp) -> set[int]:
    found = listening(estate.process.pid)
    assert {address for address, _ in found} == {"127.0.0.1"}
    ports = {port for _, port in found}
    known = ("API_GATEWAY_URL", "AWS_ENDPOINT_URL", "OTLP_ENDPOINT", "CONSOLE_URL")
    assert {urllib.parse.urlsplit(estate.variables[name]).port for name in known} <= ports
    # Beside these three servers: the OTLP receiver over gRPC, the runner, and each function's
    # runtime API.
    assert len(ports) >= 3 + 2 + 3
    return ports


def ask(
    port: int, method: str, path: str, headers: dict[str, str]
) -> http.client.HTTPResponse | None:
    """The answer over HTTP/1.1; None if the port does not speak it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
    except (http.client.HTTPException, ConnectionError):
        return None
    finally:
        connection.close()
    return answer


@pytest.mark.parametrize("headers", _FOREIGN.values(), ids=_FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_every_port_refuses(
    ports: set[int], estate: RunningUp, method: str, headers: dict[str, str]
) -> None:
    answered = 0
    for port in ports:
        # gRPC speaks HTTP/2 without TLS only, which no browser does.
        if (answer := ask(port, method, "/", headers)) is not None:
            answered += 1
            assert answer.status == 403, port
            assert answer.headers["access-control-allow-origin"] is None, port
    assert answered == len(ports) - 1


def test_no_port_answers_the_health_check_of_a_rebound_host(
    ports: set[int], estate: RunningUp
) -> None:
    answers = [ask(port, "GET", "/health", {"Host": "evil.example"}) for port in ports]
    assert {answer.status for answer in answers if answer is not None} == {400, 403}
    own = [ask(port, "GET", "/health", {}) for port in ports]
    assert 200 in {answer.status for answer in own if answer is not None}


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("AWS_ENDPOINT_URL", "/moto-api/config"),
        ("CONSOLE_URL", "/status"),
        ("CONSOLE_URL", "/traces"),
        ("CONSOLE_URL", "/hops"),
        ("CONSOLE_URL", "/dev/api/test"),
        ("OTLP_ENDPOINT", "/traces"),
    ],
)
def test_a_foreign_page_may_not_read_a_path_that_this_machine_may_read(
    estate: RunningUp, variable: str, path: str
) -> None:
    port = urllib.parse.urlsplit(estate.variables[variable]).port
    assert port is not None
    for foreign in _FOREIGN.values():
        answer = ask(port, "GET", path, {**estate.headers, **foreign})
        assert answer is not None
        assert answer.status == 403
        assert answer.headers["access-control-allow-origin"] is None
    own = {**estate.headers, "Host": f"localhost:{port}", "Origin": "http://localhost:3000"}
    answer = ask(port, "GET", path, own)
    assert answer is not None
    assert answer.status in {200, 201}
