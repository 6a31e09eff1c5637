"""Behaviour specific to S3 Vectors: batches, writes in several steps, stale passages."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from s3vector.s3vectors_store import S3VectorsStore
from s3vector.store import Document
from s3vector.tests.cloud import Cloud, fails_with_json
from s3vector.tests.fakes import DIMENSIONS, document, hashed_vector
from shared.errors import BadDependency, Conflict, Unavailable, Unprocessable
from shared.ingestion.parts import part_id
from shared.request import deadline

type Factory = Callable[..., S3VectorsStore]


def _now(document_id: str, *texts: str) -> Document:
    return document(document_id, *texts, updated_at="2999-01-01T00:00:00.000Z")


def _texts(store: S3VectorsStore, query: str) -> list[str]:
    return [hit.text for hit in store.query(hashed_vector(query), 100, None)]


def _keys(store: S3VectorsStore) -> set[str]:
    found, cursor = store._index.list(1000, None)
    assert cursor is None
    return {one.key for one in found}


def test_writes_are_sent_in_batches_of_500(cloud: Cloud, new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store()
    before = len(cloud.calls("/PutVectors"))
    store.put([document("a", *(f"passage {number}" for number in range(1101)))])
    assert len(cloud.calls("/PutVectors")) - before == 4  # 1,100 and, last, the first passage
    assert len(store.get(["a"])["a"].passages) == 1101


def test_a_replacement_that_fails_half_way_changes_nothing(
    cloud: Cloud, new_s3vectors_store: Factory
) -> None:
    store = new_s3vectors_store()
    store.put([document("a", "alpha", "beta")])
    calls = 0

    def second_fails(request: Any, serve: Callable[[], Any]) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            return serve()
        return fails_with_json(403, "AccessDeniedException")(request, serve)

    with (
        cloud.fault("POST", "/PutVectors", second_fails, times=2),
        pytest.raises(BadDependency, match="refused"),
    ):
        store.put([document("a", "alpha", "gamma", "delta", version="v2")])

    assert [one.text for one in store.get(["a"])["a"].passages] == ["alpha", "beta"]
    assert set(_texts(store, "gamma delta")) == {"alpha", "beta"}


def test_passages_of_a_failed_write_are_removed_again(
    cloud: Cloud, new_s3vectors_store: Factory
) -> None:
    store = new_s3vectors_store()
    store.put([document("a", "alpha", "beta")])
    before = _keys(store)
    calls = 0

    def second_fails(request: Any, serve: Callable[[], Any]) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            return serve()
        return fails_with_json(403, "AccessDeniedException")(request, serve)

    texts = [f"passage {number}" for number in range(600)]
    with cloud.fault("POST", "/PutVectors", second_fails, times=2), pytest.raises(BadDependency):
        store.put([document("a", *texts, version="v2")])
    assert _keys(store) == before


def test_passages_of_an_old_failed_write_are_not_found_and_then_removed(
    cloud: Cloud, new_s3vectors_store: Factory
) -> None:
    store = new_s3vectors_store()
    store.put([document("a", "alpha", "beta")])
    before = _keys(store)
    # Passages of writes that stored no first passage, which would have made the write current.
    leftover = store._index.vector(document("a", "x", "gamma"), "other-write", 1)
    young = store._index.vector(_now("a", "x", "gamma too"), "young-write", 1)
    store._index.put([leftover, young])

    assert set(_texts(store, "gamma")) == {"alpha", "beta"}

    assert _keys(store) == before | {young["key"]}


def test_stale_passages_do_not_displace_current_ones(new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store()
    store.put([document("a", "gamma gamma delta")])
    unfinished = _now("b", "x", *["gamma"] * 10)
    store._index.put(
        [store._index.vector(unfinished, "its-write", number) for number in range(1, 11)]
    )
    hits = store.query(hashed_vector("gamma"), 1, None)
    assert [hit.document_id for hit in hits] == ["a"]


def test_a_document_replaced_during_a_query_is_queried_again(
    cloud: Cloud, new_s3vectors_store: Factory
) -> None:
    """A reader sees the old passages or the new ones, never none."""
    store, writer = new_s3vectors_store(), new_s3vectors_store()
    store.put([_now("a", "alpha one", "alpha two")])

    def replaced_after(_request: Any, serve: Callable[[], Any]) -> Any:
        answer = serve()
        writer.put([_now("a", "alpha three", "alpha four")])
        return answer

    with cloud.fault("POST", "/QueryVectors", replaced_after):
        assert set(_texts(store, "alpha")) == {"alpha three", "alpha four"}


def test_a_document_replaced_while_it_is_read_is_returned_complete(
    cloud: Cloud, new_s3vectors_store: Factory
) -> None:
    store, writer = new_s3vectors_store(), new_s3vectors_store()
    store.put([document("a", "one", "two")])

    def replaced_after(_request: Any, serve: Callable[[], Any]) -> Any:
        answer = serve()
        writer.put([document("a", "three", "four", "five")])
        return answer

    with cloud.fault("POST", "/GetVectors", replaced_after):
        passages = store.get(["a"])["a"].passages
    assert [one.text for one in passages] == ["three", "four", "five"]


def test_an_index_of_another_dimension_fails_the_check(
    cloud: Cloud, new_s3vectors_store: Factory
) -> None:
    new_s3vectors_store().check()
    with pytest.raises(Conflict, match=f"has {DIMENSIONS} dimensions"):
        new_s3vectors_store(space="fake-model/64").check()


def test_an_index_that_does_not_exist_is_named(new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store(index="no-such-index")
    with pytest.raises(BadDependency, match="no-such-index"):
        store.check()
    with pytest.raises(BadDependency, match="no-such-index"):
        store.put([document("a")])


def test_a_vector_that_this_service_did_not_write_is_named(new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store()
    store._index.put([{"key": "foreign", "data": {"float32": [1.0] * DIMENSIONS}, "metadata": {}}])
    with pytest.raises(BadDependency, match="foreign"):
        store.page(10, None)


def test_throttling_says_when_to_try_again(cloud: Cloud, new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store()
    with (
        cloud.fault(
            "POST", "/QueryVectors", fails_with_json(429, "TooManyRequestsException"), times=9
        ),  # fmt: skip
        pytest.raises(Unavailable) as caught,
    ):
        store.query(hashed_vector("a"), 1, None)
    assert caught.value.retry_after


def test_words_rank_the_nearest_passages(new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store()
    question = hashed_vector("annual report")
    store.put(
        [
            document("near", "about a year", vectors=[question]),
            document("words", "the Form 10-K", vectors=[hashed_vector("annual report form")]),
            document("far", "else", vectors=[[-one for one in question]]),
        ]
    )
    assert [one.document_id for one in store.query(question, 2, None)] == ["near", "words"]
    hits = store.query(question, 3, None, words="10-K")
    assert {one.document_id: (one.lexical or 0) > 0 for one in hits} == {
        "near": False,
        "words": True,
        "far": False,
    }
    fused = [one.fused or 0.0 for one in hits]
    assert fused == sorted(fused, reverse=True)
    assert hits.best_score == pytest.approx(1.0, abs=1e-6)


def test_words_alone_are_refused(new_s3vectors_store: Factory) -> None:
    with pytest.raises(Unprocessable, match="use hybrid or dense"):
        new_s3vectors_store().query(None, 1, None, words="10-K")


def test_what_a_deletion_left_behind_is_erased_page_by_page(
    cloud: Cloud, new_s3vectors_store: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3vector.s3vectors_store.MAX_LIST", 2)
    store = new_s3vectors_store()
    store.put([document("gone", "one", "two", "three"), document("kept", "four", "five")])
    store.put([_now("written", "six", "seven")])

    def only_the_head(request: Any, serve: Callable[[], Any]) -> Any:
        return serve() if fault.seen == 1 else refused(request, serve)

    refused = fails_with_json(403, "AccessDeniedException")
    with cloud.fault("POST", "/DeleteVectors", only_the_head, times=2) as fault:
        assert store.delete("gone")
    store._index.delete(["written"])  # as if its write, a moment ago, were not at its end
    assert len(_keys(store)) == 5

    with deadline.scope(time.time() + 1):
        assert not store.erase().is_complete  # no time is left to list anything
    erased = store.erase()
    assert (erased.changed, erased.is_complete) == (2, True)
    assert len(_keys(store)) == 3
    assert [one.text for one in store.get(["kept"])["kept"].passages] == ["four", "five"]


def test_a_deletion_of_many_parts_that_is_interrupted_is_finished_by_the_next(
    cloud: Cloud, new_s3vectors_store: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3vector.s3vectors_index._DELETE_BATCH", 150)
    store = new_s3vectors_store()
    store.put([document(part_id("book", number), "text") for number in range(1, 351)])

    def second_fails(request: Any, serve: Callable[[], Any]) -> Any:
        return serve() if fault.seen == 1 else refused(request, serve)

    refused = fails_with_json(403, "AccessDeniedException")
    with (
        cloud.fault("POST", "/DeleteVectors", second_fails, times=2) as fault,
        pytest.raises(BadDependency, match="refused"),
    ):
        store.delete("book")
    assert len(_keys(store)) == 200

    assert store.delete("book")
    assert _keys(store) == set()
    assert not store.delete("book")


def test_a_listing_that_expired_begins_anew(cloud: Cloud, new_s3vectors_store: Factory) -> None:
    store = new_s3vectors_store()
    store.put([document("a", "one")])
    store._listed = "expired"
    assert store.erase().is_complete
