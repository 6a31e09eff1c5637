"""The test doubles behave like the originals."""

import base64

import pytest

from shared.aws.api_keys import ApiKeyProvider
from shared.testing import FakeKeys, LambdaContext, api_gateway_event

pytestmark = pytest.mark.anyio


async def test_fake_keys_implement_the_provider_and_count_refreshes() -> None:
    fake = FakeKeys("old", after_refresh="new", older="older")
    keys: ApiKeyProvider = fake
    assert await keys.current() == "old"
    assert await keys.refreshed("old") == await keys.current() == "new"
    assert await keys.previous() == "older"
    assert fake.refreshes == 1


def test_an_event_has_the_form_of_a_rest_apis() -> None:
    event = api_gateway_event("POST", "/chat/messages", query="a=1&a=2", json={"x": 1})
    assert (event["path"], event["requestContext"]["path"]) == (
        "/chat/messages",
        "/dev/chat/messages",
    )
    assert event["pathParameters"] == {"proxy": "messages"}
    assert event["queryStringParameters"] == {"a": "2"}, "the gateway keeps the last value"
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["headers"]["content-type"] == "application/json"
    assert event["isBase64Encoded"] is False


def test_a_body_of_bytes_is_encoded_in_base64() -> None:
    event = api_gateway_event("POST", "/chat/x", body=b"\xff")
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff"


def test_the_context_reports_the_remaining_time() -> None:
    assert 0 < LambdaContext(5).get_remaining_time_in_millis() <= 5000
