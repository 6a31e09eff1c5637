"""A handler writes the answers to some events in pieces: a prelude, eight NUL bytes, the body."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Response
from starlette.responses import StreamingResponse

from shared.app import create_service_app
from shared.aws_lambda.entry import LambdaHandler, lambda_handler
from shared.aws_lambda.streamed import END_OF_PRELUDE, AnswerBroken
from shared.conftest import Lines, MakeSettings
from shared.request import deadline
from shared.testing import FakeKeys, LambdaContext, api_gateway_event

_RESOURCE = "/api/pieces"


def _routes() -> APIRouter:
    router = APIRouter()

    @router.post("/pieces", summary="Pieces")
    async def pieces(fail: bool = False) -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            yield "one "
            await asyncio.sleep(0)
            if fail:
                raise RuntimeError("secret")
            yield f"{deadline.remaining_seconds() or 0:.0f}"

        headers = {"x-own": "1"}
        answer = StreamingResponse(body(), media_type="text/event-stream", headers=headers)
        answer.headers.append("set-cookie", "a=1")
        answer.headers.append("set-cookie", "b=2")
        return answer

    @router.get("/pieces", summary="Fails")
    async def fails() -> Response:
        raise RuntimeError("secret")

    return router


@pytest.fixture
def handler(make_settings: MakeSettings, lines: Lines) -> Iterator[LambdaHandler]:
    settings = make_settings(stream_timeout_seconds=200)
    app = create_service_app(settings, title="T", description="D", routers=[_routes()])
    lines.configure()
    made = lambda_handler(app, settings, keys=FakeKeys(), streams=["/pieces"])
    yield made
    made.close()


def event(method: str = "POST", resource: str = _RESOURCE, **more: Any) -> dict[str, Any]:
    return {**api_gateway_event(method, "/api/pieces", **more), "resource": resource}


def streamed(handler: LambdaHandler, asked: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """Return the prelude and the pieces of the body."""
    written: list[bytes] = []
    handler.stream(asked, LambdaContext(remaining_seconds=150), written.append)
    prelude, _, rest = written[0].partition(END_OF_PRELUDE)
    return json.loads(prelude), [piece for piece in (rest, *written[1:]) if piece]


def test_only_events_of_a_resource_of_their_own_are_streamed(handler: LambdaHandler) -> None:
    assert handler.streams(event())
    assert not handler.streams(event(resource="/api/{proxy+}"))
    assert not handler.streams({"resource": _RESOURCE})
    assert not handler.streams({"task": "x"})
    assert not handler.streams(None)


def test_the_prelude_has_status_and_headers_and_the_body_comes_in_pieces(
    handler: LambdaHandler,
) -> None:
    prelude, pieces = streamed(handler, event())
    assert prelude["statusCode"] == 200
    assert prelude["headers"]["x-own"] == "1"
    assert prelude["headers"]["content-type"].startswith("text/event-stream")
    assert prelude["multiValueHeaders"]["set-cookie"] == ["a=1", "b=2"]
    assert prelude.keys() == {"statusCode", "headers", "multiValueHeaders"}
    assert len(pieces) == 2
    assert pieces[0] == b"one "


def test_the_deadline_of_a_stream_is_longer_than_that_of_a_buffered_answer(
    handler: LambdaHandler,
) -> None:
    _, pieces = streamed(handler, event())
    assert int(pieces[1]) > deadline.GATEWAY_TIMEOUT_SECONDS
    buffered = handler(event(resource="/api/{proxy+}"), LambdaContext(remaining_seconds=150))
    assert int(buffered["body"].split()[1]) <= deadline.GATEWAY_TIMEOUT_SECONDS


def test_the_same_answer_can_be_buffered(handler: LambdaHandler) -> None:
    answer = handler(event(resource="/api/{proxy+}"), LambdaContext())
    assert answer["statusCode"] == 200
    assert answer["body"].startswith("one ")


def test_an_error_before_the_answer_has_a_prelude_too(handler: LambdaHandler) -> None:
    prelude, pieces = streamed(handler, event("GET"))
    assert prelude["statusCode"] == 500
    body = json.loads(b"".join(pieces))
    assert body["error"] == "internal_error"
    assert "secret" not in json.dumps(body)
    unreadable = event() | {"headers": {"Host": 7}, "multiValueHeaders": {"Host": [7]}}
    prelude, pieces = streamed(handler, unreadable)
    assert prelude["statusCode"] == 500
    assert json.loads(b"".join(pieces))["error"] == "unreadable_event"


def test_an_error_in_the_middle_breaks_the_answer(handler: LambdaHandler) -> None:
    written: list[bytes] = []
    with pytest.raises(AnswerBroken) as broken:
        handler.stream(event(query="fail=true"), LambdaContext(), written.append)
    assert b"".join(written).endswith(b"one ")
    assert "secret" not in str(broken.value)
    handler.stream(event(), LambdaContext(), written.append)  # the next one is answered
