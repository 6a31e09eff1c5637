"""What is sent, to whom, and when it is sent again."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from client import Client, Event, errors, models
from client.transport import Transport

_STATUS = {
    "service": "api",
    "environment": "dev",
    "version": "1",
    "region": "us-east-1",
    "tracing": False,
    "uptime_seconds": 1.0,
    "timestamp": "2026-01-02T03:04:05.000Z",
}
_INGESTION = models.IngestionRequest(prefix="uploads/2026/")
_JOB = {
    "id": "job-1",
    "state": "pending",
    "total": 1,
    "done": 0,
    "failed": 0,
    "errors": [],
    "created_at": "2026-01-02T03:04:05.000Z",
    "updated_at": "2026-01-02T03:04:05.000Z",
}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited; it does not wait."""
    found: list[float] = []
    monkeypatch.setattr("client.delivery.time.sleep", found.append)
    return found


class Api:
    """Answers requests with the prepared answers, the last one again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> Client:
        transport = httpx.MockTransport(self)
        return Client("https://gateway.example/dev/", "secret", transport=transport, **options)


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=_STATUS if body is None else body, headers=names)


def test_a_request_has_the_key_and_what_was_set_only() -> None:
    api = Api(answer(202, _JOB))
    api.client(token=lambda: "token").start_ingestion(_INGESTION, idempotency_key="once")
    [request] = api.requests
    assert str(request.url) == "https://gateway.example/dev/api/ingestions"
    assert request.headers["x-api-key"] == "secret"
    assert request.headers["authorization"] == "token"
    assert request.headers["idempotency-key"] == "once"
    assert json.loads(request.content) == {"prefix": "uploads/2026/"}


@pytest.mark.parametrize("target", ["https://evil.example/x", "//evil.example/x", "/dev/api/x"])
def test_the_key_does_not_follow_a_redirect(target: str) -> None:
    api = Api(answer(307, {}, location=target))
    with pytest.raises(errors.ApiError):
        api.client().get_status()
    assert {request.url.host for request in api.requests} == {"gateway.example"}
    assert len(api.requests) == 1


@pytest.mark.parametrize("value", ["../status", "https://evil.example/", "a?b=c#d", "@evil"])
def test_an_id_cannot_change_where_a_request_goes(value: str) -> None:
    api = Api(answer(404, {"error": "not_found", "detail": "No."}))
    with pytest.raises(errors.NotFound):
        api.client().get_document(value)
    [request] = api.requests
    assert request.url.host == "gateway.example"
    assert request.url.raw_path.startswith(b"/dev/api/documents/")
    assert request.url.raw_path.count(b"/") == 4


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_an_id_that_would_shorten_the_path_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must not be"):
        Api(answer()).client().get_document(value)


@pytest.mark.parametrize(
    "url",
    ["http://gateway.example/dev", "gateway.example", "https://me@gateway.example", "ftp://x/y",
     "https://gateway.example/?a=b"],
)  # fmt: skip
def test_a_url_that_would_expose_the_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url must"):
        Transport(url, "secret")


def test_no_error_shows_the_key() -> None:
    for wrong in (answer(403, {"message": "Forbidden"}), httpx.ConnectError("x"), answer(body=[])):
        with pytest.raises(errors.AdvisorError) as caught:
            Api(wrong).client(attempts=1).get_status()
        assert "secret" not in f"{caught.value!r} {caught.value.__dict__}"


_DONE = answer()
_THROTTLED = answer(429, {"message": "Too Many Requests"})
_QUOTA = answer(429, {"message": "Limit Exceeded"})
_BUSY = answer(503, {"error": "unavailable", "detail": "Later."})
_REPEATED = answer(503, {"error": "unavailable", "detail": "Later."}, x_should_retry="false")
_BROKE = httpx.ReadError("reset")


@pytest.mark.parametrize(
    "failure", [_THROTTLED, _BUSY, _BROKE, httpx.ConnectError("no"), httpx.ReadTimeout("late")]
)
def test_a_read_is_repeated(failure: httpx.Response | Exception) -> None:
    api = Api(failure, failure, _DONE)
    assert api.client().get_status().service == "api"
    assert len(api.requests) == 3


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (_QUOTA, errors.QuotaExceeded),
        (_REPEATED, errors.Unavailable),
        (answer(404, {"error": "not_found", "detail": "No."}), errors.NotFound),
        (answer(418, {}), errors.ApiError),
        (answer(429, {"message": "Too Many Requests"}, retry_after="3600"), errors.Throttled),
    ],
)
def test_what_cannot_help_is_not_repeated(
    failure: httpx.Response, expected: type[Exception]
) -> None:
    api = Api(failure)
    with pytest.raises(expected):
        api.client().get_status()
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("failure", "times"),
    [(_THROTTLED, 2), (httpx.ConnectError("no"), 2), (_BUSY, 1), (_BROKE, 1)],
)
def test_a_post_is_repeated_only_if_it_was_not_carried_out(
    failure: httpx.Response | Exception, times: int
) -> None:
    api = Api(failure, answer(202, _JOB))
    call: Callable[[], object] = lambda: api.client().start_ingestion(_INGESTION)  # noqa: E731
    if times == 1:
        with pytest.raises(errors.AdvisorError):
            call()
    else:
        call()
    assert len(api.requests) == times


@pytest.mark.parametrize("failure", [_THROTTLED, _BUSY, _BROKE])
def test_a_post_with_an_idempotency_key_is_repeated(failure: httpx.Response | Exception) -> None:
    api = Api(failure, answer(202, _JOB))
    api.client().start_ingestion(_INGESTION, idempotency_key="once")
    assert [request.headers["idempotency-key"] for request in api.requests] == ["once", "once"]


def test_attempts_end_and_the_waits_between_them_are_bounded(waits: list[float]) -> None:
    api = Api(_BUSY)
    with pytest.raises(errors.Unavailable):
        api.client(attempts=9).get_status()
    assert len(api.requests) == 9
    assert len(waits) == 8
    assert max(waits) <= 5


def test_the_time_that_the_answer_names_is_waited_at_least(waits: list[float]) -> None:
    later = answer(503, {"error": "unavailable", "detail": "Later."}, retry_after="7")
    Api(later, _DONE).client().get_status()
    [wait] = waits
    assert 7 <= wait <= 8


def test_an_answer_of_another_form_is_an_error_and_a_new_field_is_not() -> None:
    assert Api(answer(body={**_STATUS, "new": 1})).client().get_status().service == "api"
    wrong: list[Any] = [[], {"service": "api"}]
    for body in wrong:
        with pytest.raises(errors.UnexpectedAnswer):
            Api(answer(body=body)).client().get_status()


def test_an_operation_that_may_answer_nothing_returns_none() -> None:
    for answered, expected in ((answer(200, _JOB), "job-1"), (httpx.Response(204), None)):
        sent = httpx.MockTransport(Api(answered))
        transport = Transport("https://x.example", "secret", transport=sent)
        found = transport.call_if_any("DELETE", "/ingestions/job-1", answer=models.Ingestion)
        assert (found.id if found else None) == expected


def test_a_wrong_field_of_a_request_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="topk"):
        models.AskRequest.model_validate({"question": "x", "topk": 1})


def _events(content: bytes, status: int = 200) -> list[Event]:
    api = Api(httpx.Response(status, content=content))
    transport = Transport("https://x.example", "secret", transport=httpx.MockTransport(api))
    return list(transport.events("POST", "/ask/stream", body={"question": "x"}))


def test_events_of_a_stream_are_read() -> None:
    content = b': hello\n\nevent: unit\ndata: {"a":\ndata: 1}\n\ndata: 2\nid: 7\n\n'
    content += b"event: cut\ndata: 3"
    assert _events(content) == [Event("unit", {"a": 1}), Event("message", 2)]


def test_a_stream_that_is_refused_or_is_no_json_is_an_error() -> None:
    with pytest.raises(errors.Forbidden):
        _events(b'{"message": "Forbidden"}', 403)
    with pytest.raises(errors.UnexpectedAnswer):
        _events(b"data: {\n\n")


def test_every_documented_type_of_error_has_a_status_or_a_code() -> None:
    body = {"error": "user_not_permitted", "detail": "No."}
    for status, sent, expected in (
        (400, {"error": "invalid_request", "detail": "x"}, errors.InvalidRequest),
        (403, body, errors.UserNotPermitted),
        (403, {**body, "error": "missing_scope"}, errors.MissingScope),
    ):
        with pytest.raises(errors.ApiError) as caught:
            Api(answer(status, sent, x_request_id="r-1", retry_after="7")).client().get_status()
        assert type(caught.value) is expected
        assert (caught.value.request_id, caught.value.retry_after) == ("r-1", 7.0)
