"""`POST /messages/stream`: the events of an answer, their order, and how a stream breaks off."""

import json
from typing import Any

import httpx
import pytest

from chat.answering import NOTHING_PROVEN
from chat.answers.check import check_beginning
from chat.app import create_app
from chat.progress import AnswerChanged, Progress
from chat.tests.fakes import (
    SAVE,
    SETTINGS,
    FakeConversations,
    FakeGuard,
    FakeModel,
    FakeRecords,
    FakeRetriever,
    passage,
    recorder_into,
)
from shared.answers import CheckedAnswer
from shared.errors import Unavailable
from shared.events.stream import Event, EventReader
from shared.testing import app_client

pytestmark = pytest.mark.anyio

CASH = "Keep the fund in cash."
PASSAGES = (passage(0), passage(1, text=CASH))
TWO_PARAGRAPHS = (
    f"{SAVE[:-1]} [savings#0]. Debt costs 12 percent interest a year [savings#1].\n\n"
    "There are two things that you can do with the fund, among others. "
    f"{CASH[:-1]} [savings#1]."
)
BEFORE_UNITS = ["status", "status", "passages", "status"]


def asked(question: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}]}


QUESTION = asked("How do I save?")


def client(**ports: Any) -> httpx.AsyncClient:
    defaults: dict[str, Any] = {"model": FakeModel(), "store": FakeConversations()}
    app = create_app(SETTINGS, retriever=FakeRetriever(*PASSAGES), **defaults | ports)
    return app_client(app)


async def events_of(body: dict[str, Any] = QUESTION, **ports: Any) -> list[tuple[str, Any]]:
    """Ask a question, and return the names and the data of the events."""
    async with client(**ports) as http:
        response = await http.post("/messages/stream", json=body)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return [(one.name, json.loads(one.data)) for one in EventReader().feed(response.content)]


def names(events: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in events]


async def test_the_units_are_the_answer_and_done_is_what_the_buffered_route_gives() -> None:
    store = FakeConversations()
    events = await events_of(model=FakeModel(TWO_PARAGRAPHS), store=store)
    assert names(events) == [*BEFORE_UNITS, "unit", "removed", "removed", "unit", "done"]
    done = events[-1][1]
    async with client(model=FakeModel(TWO_PARAGRAPHS)) as http:
        buffered = (await http.post("/messages", json=QUESTION)).json()
    ids = {"answer_id": "", "conversation_id": ""}
    assert done | ids == buffered | ids
    units = [data for name, data in events if name == "unit"]
    assert "".join(unit["text"] for unit in units) == done["answer"]
    for unit in units:
        assert done["answer"][unit["start"] : unit["end"]] == unit["text"]
        for citation in unit["citations"]:
            assert citation["spans"]
            assert f"[{citation['marker']}]" in unit["text"]
    assert [data for name, data in events if name == "removed"] == done["removed"]
    assert events[0][1] == {"state": "started", "conversation_id": done["conversation_id"]}
    found = next(data for name, data in events if name == "passages")
    assert [one["passage_id"] for one in found["passages"]] == ["savings#0", "savings#1"]


def broken_model() -> FakeModel:
    return FakeModel(TWO_PARAGRAPHS, error=Unavailable("The model's answer broke off."))


async def test_settled_units_are_sent_before_the_model_has_ended() -> None:
    events = await events_of(model=broken_model())
    assert names(events)[-3:] == ["unit", "removed", "error"]
    assert events[-1][1]["error"] == "unavailable"
    assert events[-1][1]["request_id"]


async def test_a_broken_stream_keeps_no_turn_and_no_record() -> None:
    records, store = FakeRecords(), FakeConversations()
    events = await events_of(model=broken_model(), store=store, recorder=recorder_into(records))
    assert "done" not in names(events)
    assert list(store.kept.values()) == [[]]
    assert not records.objects


async def test_an_unexpected_failure_is_an_error_event_without_its_text() -> None:
    events = await events_of(model=FakeModel(error=RuntimeError("secret")))
    assert names(events)[-1] == "error"
    assert events[-1][1]["error"] == "internal_error"
    assert "secret" not in json.dumps(events)


async def test_an_error_before_the_first_event_has_its_own_status() -> None:
    async with client() as http:
        of_none = asked("Why?") | {"conversation_id": "c_unknown"}
        unknown = await http.post("/messages/stream", json=of_none)
        wrong = await http.post("/messages/stream", json={})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]) == (422, "unprocessable")


@pytest.mark.parametrize(
    ("question", "text"),
    [("Hello!", None), ("Should I buy shares?", None), ("What is 12 percent?", NOTHING_PROVEN)],
)
async def test_every_kind_of_answer_is_its_units(question: str, text: str | None) -> None:
    model = FakeModel("Debt costs 12 percent interest a year [savings#1].")
    events = await events_of(asked(question), model=model)
    units = [data["text"] for name, data in events if name == "unit"]
    assert "".join(units) == events[-1][1]["answer"]
    assert text is None or units == [text]


async def test_a_recommendation_is_framed_by_units_of_the_policy() -> None:
    events = await events_of(asked("Should I buy shares?"), model=FakeModel(TWO_PARAGRAPHS))
    units = [data for name, data in events if name == "unit"]
    assert len(units) == 4
    assert units[0]["citations"] == units[-1]["citations"] == []
    assert units[1]["citations"]
    assert "".join(unit["text"] for unit in units) == events[-1][1]["answer"]


async def test_required_records_hold_the_units_until_the_record_is_written() -> None:
    records = FakeRecords()
    records.failing = Unavailable("down")
    recorder = recorder_into(records, required=True)
    events = await events_of(model=FakeModel(TWO_PARAGRAPHS), recorder=recorder)
    assert names(events) == [*BEFORE_UNITS, "error"]


async def test_a_guard_judges_the_whole_answer_before_any_unit_is_sent() -> None:
    events = await events_of(model=FakeModel(TWO_PARAGRAPHS), guard=FakeGuard("cash"))
    units = [data["text"] for name, data in events if name == "unit"]
    assert units == [events[-1][1]["answer"]]
    assert events[-1][1]["status"] == "refused"


async def test_the_record_is_written_before_done() -> None:
    records = FakeRecords()
    events = await events_of(recorder=recorder_into(records))
    assert names(events)[-1] == "done"
    assert len(records.objects) == 1


async def test_an_answer_that_differs_from_its_sent_units_is_an_error() -> None:
    sent: list[Event] = []

    async def send(event: Event) -> None:
        sent.append(event)

    progress = Progress(send)
    checked = check_beginning(TWO_PARAGRAPHS, PASSAGES, question="How do I save?")
    await progress.settled(checked, "")
    assert [event.name for event in sent] == ["unit", "removed"]
    with pytest.raises(AnswerChanged, match="discard"):
        await progress.finish(CheckedAnswer(answer="Other.", status="answered", disclosure=""))
