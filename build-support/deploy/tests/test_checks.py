"""The checks of the smoke test: when they pass, and for how long they are repeated."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deploy import checks
from deploy.checks import CheckFailed, Gateway, KeyRefused, attempt
from deploy.tests.fakes import Environ, StartResponse, serving
from services.declared import ROUTED

HEALTHY: dict[str, Any] = {
    "healthy": True,
    "trace_id": "0" * 32,
    "services": {name: {"healthy": True} for name in ROUTED if name != "api"},
}


def _with_chat(chat: dict[str, Any]) -> dict[str, Any]:
    return {**HEALTHY, "services": {**HEALTHY["services"], "chat": chat}}


@contextmanager
def _gateway(
    answer: Callable[[Environ], tuple[int, Any]], key: str | None = "k"
) -> Iterator[Gateway]:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        status, content = answer(environ)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        start_response(f"{status} Answer", [("Content-Length", str(len(body)))])
        return [body]

    with serving(application) as url:
        yield Gateway(f"{url}/dev/", "k")


def test_a_healthy_environment_passes() -> None:
    with _gateway(lambda _: (200, HEALTHY)) as gateway:
        assert gateway.test() == HEALTHY


def test_the_key_and_a_sampled_trace_are_sent_to_the_stages_path() -> None:
    seen: list[Environ] = []

    def answer(environ: Environ) -> tuple[int, Any]:
        seen.append(environ)
        return 200, HEALTHY

    with _gateway(answer) as gateway:
        gateway.test("1-00000000-000000000000000000000000")
    [environ] = seen
    assert environ["PATH_INFO"] == "/dev/api/test"
    assert environ["HTTP_X_API_KEY"] == "k"
    trace = "Root=1-00000000-000000000000000000000000;Sampled=1"
    assert environ["HTTP_X_AMZN_TRACE_ID"] == trace


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({**HEALTHY, "healthy": False}, "unhealthy: api"),
        (
            _with_chat({"healthy": False, "error": "t"}),
            r"unhealthy: chat \(t\)",
        ),
        ({"healthy": True, "services": {}}, r"chat \(missing\), s3vector \(missing\)"),
        ({"message": "?"}, "/api/test answered"),
        ([], "/api/test answered"),
        (b"<html>", "not JSON"),
    ],
)
def test_an_environment_that_is_not_healthy_does_not_pass(answer: Any, complaint: str) -> None:
    with _gateway(lambda _: (200, answer)) as gateway, pytest.raises(CheckFailed, match=complaint):
        gateway.test()


def test_a_refused_key_has_its_own_error() -> None:
    with _gateway(lambda _: (403, {"message": "Forbidden"})) as gateway, pytest.raises(KeyRefused):
        gateway.test()


def test_api_has_to_continue_the_trace() -> None:
    trace_id = checks.new_trace_id()
    same = {**HEALTHY, "trace_id": trace_id.replace("-", "")[1:]}
    with _gateway(lambda _: (200, same)) as gateway:
        checks.trace_continues(gateway, trace_id)
    with (
        _gateway(lambda _: (200, HEALTHY)) as gateway,
        pytest.raises(CheckFailed, match="sent the trace"),
    ):
        checks.trace_continues(gateway, trace_id)


ASKED: dict[str, Any] = {
    "answer": "It examines 47 parts [1].",
    "citations": [{"document_id": "fin-advisor-smoke-test"}],
}


@pytest.mark.parametrize("answer", [ASKED, {**ASKED, "status": "answered"}])
def test_the_model_answers_from_a_document_that_is_deleted_again(answer: dict[str, Any]) -> None:
    seen: list[str] = []

    def reply(environ: Environ) -> tuple[int, Any]:
        seen.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return 200, answer

    with _gateway(reply) as gateway:
        checks.answers_a_question(gateway)
    assert seen == [
        "POST /dev/api/documents",
        "POST /dev/api/ask",
        "DELETE /dev/s3vector/documents/fin-advisor-smoke-test",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {"answer": "I don't know.", "citations": []},
        {**ASKED, "citations": [{"document_id": "another"}]},
        {**ASKED, "answer": "It examines 12 parts."},
        {**ASKED, "status": "incomplete"},
        [],
    ],
)
def test_an_answer_that_is_not_from_the_document_does_not_pass(answer: Any) -> None:
    with (
        _gateway(lambda _: (200, answer)) as gateway,
        pytest.raises(CheckFailed, match="answer"),
    ):
        checks.answers_a_question(gateway)


def test_the_document_is_deleted_though_the_model_fails() -> None:
    deleted: list[str] = []

    def reply(environ: Environ) -> tuple[int, Any]:
        if environ["REQUEST_METHOD"] == "DELETE":
            deleted.append(environ["PATH_INFO"])
        return (502 if environ["PATH_INFO"].endswith("/ask") else 200), {}

    with _gateway(reply) as gateway, pytest.raises(CheckFailed, match="/api/ask answered 502"):
        checks.answers_a_question(gateway)
    assert deleted == ["/dev/s3vector/documents/fin-advisor-smoke-test"]


class _Secrets:
    """Secrets Manager with a secret, and another one that is being deleted."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):
            """There is no such secret."""

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        match SecretId:
            case "there":
                return {"Name": SecretId}
            case "deleted":
                return {"Name": SecretId, "DeletedDate": 0}
        raise self.exceptions.ResourceNotFoundException


def test_every_secret_has_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "client", lambda _: _Secrets())
    checks.secrets_exist({"api": "there"})
    with pytest.raises(CheckFailed, match="no secret deleted, never made"):
        checks.secrets_exist({"api": "there", "chat": "deleted", "runner": "never made"})


class _Failing:
    """A check that fails a number of times."""

    def __init__(self, times: int, error: Exception) -> None:
        self.calls = 0
        self._times, self._error = times, error

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_POLL_SECONDS", 0.01)


def test_a_failing_check_is_repeated_while_patience_lasts() -> None:
    check = _Failing(3, CheckFailed("not yet"))
    assert attempt("it", check, patience_seconds=30).problem is None
    assert check.calls == 4


def test_without_patience_a_check_runs_once() -> None:
    check = _Failing(3, CheckFailed("not yet"))
    assert attempt("it", check).problem == "not yet"
    assert check.calls == 1


def test_a_new_key_gets_more_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_NEW_KEY_SECONDS", 30)
    check = _Failing(50, KeyRefused("Forbidden"))
    assert attempt("it", check, patience_seconds=0.05).problem is None


def test_an_unexpected_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt("it", _Failing(1, ZeroDivisionError()))
