"""What chat takes from a search, and how it joins two."""

import json

import httpx
import pytest

from chat.retrieval import GatewayRetriever, Retrieved, best_of
from chat.tests.fakes import SETTINGS, passage
from shared.api_client import ServiceAPIClient
from shared.testing import FakeKeys

pytestmark = pytest.mark.anyio

_FOUND = {"document_id": "a", "text": "t", "metadata": {}, "version": "v"}


async def _retrieved(answer: object) -> Retrieved:
    def respond(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"text": "tax", "top_k": 3}
        return httpx.Response(200, json=answer)

    transport = httpx.MockTransport(respond)
    client = ServiceAPIClient(settings=SETTINGS, keys=FakeKeys("k"), transport=transport)
    async with client:
        return await GatewayRetriever(client).retrieve("tax", top_k=3, metadata_filter=None)


async def test_the_order_and_the_best_cosine_are_those_of_s3vector() -> None:
    words = {**_FOUND, "passage_id": "a#1", "score": 0.1, "lexical": 9.0, "fused": 0.9}
    meaning = {**_FOUND, "passage_id": "a#0", "score": 0.5, "lexical": 0.0, "fused": 0.7}
    answer = {"passages": [words, meaning], "embedding_model": "titan", "best_score": 0.6}
    found = best_of([await _retrieved(answer)], top_k=5)
    assert [one.passage_id for one in found.passages] == ["a#1", "a#0"]
    assert found.closest == 0.6


async def test_a_release_of_s3vector_without_words_is_understood() -> None:
    passages = [
        {**_FOUND, "passage_id": f"a#{number}", "score": 0.5 - number / 9} for number in (0, 1)
    ]
    found = await _retrieved({"passages": passages, "embedding_model": "titan"})
    assert [one.passage_id for one in found.passages] == ["a#0", "a#1"]
    assert found.closest == 0.5


def test_of_two_searches_each_passage_keeps_its_better_rank() -> None:
    one = Retrieved((passage(0, score=0.1, fused=0.9), passage(1, score=0.3, fused=0.2)))
    other = Retrieved((passage(1, score=0.2, fused=0.8),), best_score=0.4)
    joined = best_of([one, other], top_k=5)
    assert [each.fused for each in joined.passages] == [0.9, 0.8]
    assert joined.closest == 0.4
    assert len(best_of([one, other], top_k=1).passages) == 1
    assert best_of([Retrieved(()), Retrieved(())], top_k=5).closest is None
