"""Whatever a body contains, the api service answers with a clear error and not with a 500."""

from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.tests.fakes import SETTINGS, Gateway, job
from api.tests.test_routes import CHAT_ANSWER, STORED, UPLOAD
from shared.testing import JSON, UNENCODABLE, app_client, hostile_bodies

pytestmark = pytest.mark.anyio

_DOCUMENT = {"id": "a", "text": "Some text.", "title": "A", "metadata": {"topic": "x"}}
_DOORS: dict[str, dict[str, Any]] = {
    "/ask": {"question": "How do I save?", "top_k": 3, "filter": {"a": 1}, "conversation_id": "c"},
    "/answers/a_1/feedback": {"rating": "up", "reason": "Short."},
    "/documents": {"documents": [_DOCUMENT]},
    "/uploads": {"content_type": "text/plain", "size": 5, "sha256": "0" * 64},
    "/ingestions": {"documents": [_DOCUMENT], "prefix": "uploads/x"},
}


@cache
def app() -> FastAPI:
    gateway = Gateway(
        {
            "POST /chat/messages": httpx.Response(200, json=CHAT_ANSWER),
            "POST /chat/answers/a_1/feedback": httpx.Response(204),
            "PUT /s3vector/documents": httpx.Response(200, json=STORED),
            "POST /runner/uploads": httpx.Response(200, json=UPLOAD),
            "POST /runner/jobs": httpx.Response(202, json=job()),
        }
    )
    return create_app(SETTINGS, client=gateway.client())


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
    for filter_text in (f'{{"topic": {value}}}', f'{{"$or": [{{"a": 1}}, {{"topic": {value}}}]}}'):
        body = f'{{"question": "How do I save?", "filter": {filter_text}}}'
        async with app_client(app()) as http:
            answer = await http.post("/ask", content=body, headers=JSON)
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"].startswith("filter: ")
        assert "topic" in answer.json()["detail"]
