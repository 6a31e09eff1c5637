"""`POST /ask/stream` passes chat's events on, and ends with `done` or `error`."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.tests.fakes import SETTINGS, Gateway
from shared.events.stream import Event, EventReader
from shared.testing import app_client

pytestmark = pytest.mark.anyio

ANSWER: dict[str, Any] = {
    "answer": "Save first [1].",
    "status": "answered",
    "disclosure": "An AI wrote this.",
    "answer_id": "a_1",
    "conversation_id": "c_1",
}
BEFORE = [
    Event("status", '{"state":"started","conversation_id":"c_1"}'),
    Event("unit", '{"text":"Save first [1].","start":0,"end":15,"citations":[]}'),
]
DONE = Event("done", json.dumps(ANSWER))
QUESTION = {"question": "How do I save?", "top_k": 3}


class Pieces(httpx.AsyncByteStream):
    """A body in pieces that cut events anywhere; with an error, the connection then breaks."""

    def __init__(self, *events: Event, error: Exception | None = None) -> None:
        self._body = b"".join(event.encoded() for event in events)
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 7):
            yield self._body[start : start + 7]
        if self._error:
            raise self._error


def streaming(pieces: Pieces) -> Gateway:
    headers = {"content-type": "text/event-stream"}
    return Gateway(
        {
            "POST /chat/messages/stream": lambda _: httpx.Response(
                200, headers=headers, stream=pieces
            )
        }
    )


async def ask(gateway: Gateway) -> httpx.Response:
    async with app_client(create_app(SETTINGS, client=gateway.client())) as http:
        return await http.post("/ask/stream", json=QUESTION)


async def events(gateway: Gateway) -> list[Event]:
    response = await ask(gateway)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return EventReader().feed(response.content)


async def test_events_are_passed_on_and_done_is_what_ask_returns() -> None:
    gateway = streaming(Pieces(*BEFORE, DONE))
    *passed, last = await events(gateway)
    assert passed == BEFORE
    assert last.name == "done"
    async with app_client(
        create_app(
            SETTINGS,
            client=Gateway({"POST /chat/messages": httpx.Response(200, json=ANSWER)}).client(),
        )
    ) as http:
        buffered = (await http.post("/ask", json=QUESTION)).json()
    given = json.loads(last.data)
    assert given.pop("request_id")
    assert buffered.pop("request_id")
    assert given == buffered
    assert gateway.sent() == {
        "messages": [{"role": "user", "content": "How do I save?"}],
        "top_k": 3,
    }
    (request,) = gateway.requests
    assert request.headers["x-api-key"] == "api-key"
    assert request.headers["x-request-deadline"]


@pytest.mark.parametrize(
    "pieces",
    [
        Pieces(*BEFORE),
        Pieces(*BEFORE, error=httpx.ReadError("reset")),
        Pieces(*BEFORE, error=httpx.RemoteProtocolError("incomplete chunked read")),
        Pieces(*BEFORE, Event("done", '{"answer": "no ids"}')),
    ],
    ids=["ends", "reset", "cut", "unreadable"],
)
async def test_a_stream_that_breaks_off_ends_with_an_error(pieces: Pieces) -> None:
    *passed, last = await events(streaming(pieces))
    assert passed == BEFORE
    assert last.name == "error"
    assert json.loads(last.data)["request_id"]


async def test_chats_error_is_passed_on_with_its_code() -> None:
    data = json.dumps({"error": "unavailable", "detail": "The model's answer broke off."})
    *passed, last = await events(streaming(Pieces(*BEFORE, Event("error", data))))
    assert passed == BEFORE
    assert last.name == "error"
    assert json.loads(last.data)["error"] == "unavailable"
    assert json.loads(last.data)["detail"] == "The model's answer broke off."


async def test_an_error_before_the_first_event_has_its_own_status() -> None:
    unknown = httpx.Response(404, json={"error": "not_found", "detail": "No such conversation."})
    response = await ask(Gateway({"POST /chat/messages/stream": unknown}))
    assert (response.status_code, response.json()["error"]) == (404, "not_found")
    outage = httpx.Response(502, json={"message": "Internal server error"})
    response = await ask(Gateway({"POST /chat/messages/stream": outage}))
    assert (response.status_code, response.json()["error"]) == (502, "bad_answer")
