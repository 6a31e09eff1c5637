"""Titan over the real boto3 client: its requests, refusals and retries."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from s3vector.embeddings import TitanEmbedder
from s3vector.pool import Pool
from s3vector.tests.cloud import Cloud, answers_with, fails_with_json
from s3vector.tests.fakes import hashed_vector
from shared.errors import BadDependency, DeadlineExceeded, Unavailable
from shared.request import deadline

_MODEL = "amazon.titan-embed-text-v2:0"


def _embedder(cloud: Cloud, *, workers: int = 4, **options: Any) -> TitanEmbedder:
    client = cloud.client("bedrock-runtime", **options)
    return TitanEmbedder(lambda: client, model_id=_MODEL, dimensions=256, pool=Pool(workers))


def test_each_text_gets_its_vector_in_order(cloud: Cloud) -> None:
    texts = [f"text number {number}" for number in range(20)]
    vectors = _embedder(cloud).embed(texts)
    assert vectors == [hashed_vector(text, 256) for text in texts]


def test_the_request_has_titans_format(cloud: Cloud) -> None:
    bodies: list[Any] = []

    def record(request: Any, serve: Callable[[], Any]) -> Any:
        bodies.append(json.loads(request.get_data()))
        return serve()

    with cloud.fault("POST", f"/model/{_MODEL}/invoke", record):
        _embedder(cloud).embed(["a text"])
    assert bodies == [{"inputText": "a text", "dimensions": 256, "normalize": True}]


def test_equal_texts_are_embedded_once(cloud: Cloud) -> None:
    before = len(cloud.calls("/invoke"))
    vectors = _embedder(cloud).embed(["same", "other", "same"])
    assert vectors[0] == vectors[2]
    assert len(cloud.calls("/invoke")) - before == 2


def test_no_more_calls_are_made_at_once_than_allowed(cloud: Cloud) -> None:
    running = most = 0
    lock = threading.Lock()

    def count(_request: Any, serve: Callable[[], Any]) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return serve()

    with cloud.fault("POST", "/invoke", count, times=100):
        _embedder(cloud, workers=3).embed([f"text {number}" for number in range(20)])
    assert most == 3


def test_throttling_is_retried(cloud: Cloud) -> None:
    throttled = fails_with_json(429, "ThrottlingException")
    with cloud.fault("POST", "/invoke", throttled) as fault:
        assert len(_embedder(cloud).embed(["a"])) == 1
    assert fault.seen == 1


def test_lasting_throttling_says_when_to_try_again(cloud: Cloud) -> None:
    throttled = fails_with_json(429, "ThrottlingException")
    with (
        cloud.fault("POST", "/invoke", throttled, times=1000),
        pytest.raises(Unavailable, match="throttling") as caught,
    ):
        _embedder(cloud, attempts=2).embed(["a", "b"])
    assert caught.value.retry_after


def test_a_model_that_hangs_is_abandoned_at_the_deadline(cloud: Cloud) -> None:
    # The read time-out would raise Unavailable.
    embedder = _embedder(cloud, read_timeout=5, attempts=1)
    with (
        cloud.fault("POST", "/invoke", cloud.hang, times=10),
        deadline.scope(time.time() + 0.3),
        pytest.raises(DeadlineExceeded),
    ):
        embedder.embed(["a", "b"])


def test_a_model_that_hangs_is_abandoned_without_a_deadline(cloud: Cloud) -> None:
    embedder = _embedder(cloud, read_timeout=0.3, attempts=1)
    with cloud.fault("POST", "/invoke", cloud.hang, times=10), pytest.raises(Unavailable):
        embedder.embed(["a"])


def test_a_refusal_is_not_retried(cloud: Cloud) -> None:
    refused = fails_with_json(403, "AccessDeniedException")
    with (
        cloud.fault("POST", "/invoke", refused, times=10) as fault,
        pytest.raises(BadDependency, match="permission"),
    ):
        _embedder(cloud).embed(["a"])
    assert fault.seen == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "did not answer with an embedding"),
        (b"{}", "did not answer with an embedding"),
        (b"[" * 100_000, "did not answer with an embedding"),
        (b'{"embedding": "text"}', "did not answer with an embedding"),
        (b'{"embedding": [1, "two"]}', "did not answer with an embedding"),
        (b'{"embedding": [1, 2]}', "2 dimensions instead of 256"),
        (json.dumps({"embedding": [0.0] * 256}).encode(), "no direction"),
        (json.dumps({"embedding": [float("nan")] * 256}).encode(), "no direction"),
    ],
)
def test_an_answer_that_is_no_embedding_is_refused(cloud: Cloud, body: bytes, message: str) -> None:
    with (
        cloud.fault("POST", "/invoke", answers_with(body)),
        pytest.raises(BadDependency, match=message),
    ):
        _embedder(cloud).embed(["a"])
