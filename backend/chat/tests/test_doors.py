"""Whatever a body contains, the chat service answers with a clear error and not with a 500."""

import json
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.tests.test_routes import QUESTION, app_of
from shared.testing import JSON, UNENCODABLE, app_client, hostile_bodies

pytestmark = pytest.mark.anyio

_DOORS: dict[str, dict[str, Any]] = {
    "/messages": QUESTION | {"top_k": 3, "filter": {"a": 1}, "conversation_id": "c_1"},
    "/answers/a_1/feedback": {"rating": "up", "reason": "Short."},
}


@cache
def app() -> FastAPI:
    return app_of()


@settings(max_examples=100, deadline=None)
@given(st.data())
async def test_no_body_is_answered_500(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(_DOORS)))
    body = data.draw(hostile_bodies(_DOORS[path]))
    async with app_client(app()) as http:
        answer = await http.post(path, content=body, headers=JSON)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("value", UNENCODABLE)
async def test_a_filter_that_cannot_be_sent_on_is_refused_by_its_name(value: str) -> None:
    body = json.dumps(QUESTION | {"filter": {"topic": 0}}).replace("0}}", f"{value}}}}}")
    async with app_client(app()) as http:
        answer = await http.post("/messages", content=body, headers=JSON)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"].startswith("filter: ")
    assert "topic" in answer.json()["detail"]
