"""The gateway's answers to a new key, over a real socket."""

import socket

import pytest

from rotation.secret import RotationError
from rotation.tests.fakes import Answer, FakeGateway
from rotation.trial import Trial

FORBIDDEN: Answer = (403, {"message": "Forbidden"})
FINE: Answer = (200, {"status": "healthy"})


def run(answers: list[Answer], seconds: float = 5.0) -> tuple[int, FakeGateway]:
    """Answer each call with the next of `answers`, then always with the last one."""
    gateway = FakeGateway(lambda path, key: answers.pop(0) if len(answers) > 1 else answers[0])
    with gateway.serving():
        return Trial(f"{gateway.url}/dev/x", seconds, 0.01).run("the-key"), gateway


def test_sends_the_key_to_the_path() -> None:
    _, gateway = run([FINE])
    assert set(gateway.calls) == {("/dev/x", "the-key")}


def test_one_good_answer_among_refusals_is_not_enough() -> None:
    """The key has reached one of the gateway's hosts and not yet the others."""
    calls, _ = run([FORBIDDEN, FINE, FORBIDDEN, FINE, FINE])
    assert calls == 5


def test_a_used_up_quota_says_that_the_key_is_known() -> None:
    calls, _ = run([(429, {"message": "Limit Exceeded"})])
    assert calls == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_key_is_not_rejected_because_the_service_keeps_failing(status: int) -> None:
    calls, _ = run([(status, {"message": "Internal server error"})])
    assert calls == 3


@pytest.mark.parametrize(
    "answer",
    [
        (301, {}),
        (404, {"message": "Not Found"}),
        (403, {"message": "Missing Authentication Token"}),
    ],
    ids=lambda answer: str(answer[0]),
)
def test_a_wrong_address_fails_at_once_and_names_the_settings(answer: Answer) -> None:
    with pytest.raises(RotationError, match="API_GATEWAY_URL or SERVICE_PATHS"):
        run([answer])


def test_the_key_does_not_follow_a_redirect() -> None:
    gateway = FakeGateway(lambda path, key: (302, {}))
    with gateway.serving(), pytest.raises(RotationError):
        Trial(f"{gateway.url}/dev/x", 1.0, 0.01).run("the-key")
    assert [path for path, _ in gateway.calls] == ["/dev/x"]


def test_a_gateway_that_refuses_connections_ends_the_trial_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        port = silent.getsockname()[1]
        with pytest.raises(RotationError, match="did not answer"):
            Trial(f"http://127.0.0.1:{port}/x", 0.2, 0.01).run("the-key")


def test_a_gateway_that_hangs_ends_the_trial_in_time() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(RotationError, match=r"did not answer \(TimeoutError\)"),
    ):
        Trial(f"http://127.0.0.1:{silent.getsockname()[1]}/x", 0.5, 0.01).run("the-key")
