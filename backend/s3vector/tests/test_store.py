"""The contract of every vector store, tested with both engines."""

from collections.abc import Callable
from typing import Any

import pytest

from s3vector.filters import parse_filter
from s3vector.store import VectorStore
from s3vector.tests.fakes import DIMENSIONS, document, hashed_vector
from shared.documents import MetadataValue
from shared.errors import Conflict, InvalidRequest
from shared.ingestion.parts import part_id

type Factory = Callable[..., VectorStore]


@pytest.fixture(params=["s3", "s3vectors"])
def new_store(request: pytest.FixtureRequest) -> Factory:
    factory: Factory = request.getfixturevalue(f"new_{request.param}_store")
    return factory


@pytest.fixture
def store(new_store: Factory) -> VectorStore:
    return new_store()


def _found(store: VectorStore, text: str, *, top_k: int = 10, where: Any = None) -> list[str]:
    hits = store.query(hashed_vector(text), top_k, parse_filter(where) if where else None)
    return [hit.document_id for hit in hits]


def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert store.get(["a"]) == {}
    assert _found(store, "anything") == []
    assert store.page(10, None).records == ()
    assert not store.delete("a")


def test_a_document_is_read_as_it_was_put(store: VectorStore) -> None:
    metadata: dict[str, MetadataValue] = {
        "topic": "savings",
        "year": 2026,
        "rate": 1.5,
        "draft": True,
        "tags": ["a", "b"],
    }
    put = document("a:b.c-d_e", "first, ünï", "second 漢字", title="Títle", metadata=metadata)
    store.put([put])

    held = store.get(["a:b.c-d_e", "missing"], vectors=True)

    assert list(held) == ["a:b.c-d_e"]
    assert held["a:b.c-d_e"].record == put.record
    assert [one.text for one in held["a:b.c-d_e"].passages] == ["first, ünï", "second 漢字"]
    for one, other in zip(held["a:b.c-d_e"].passages, put.passages, strict=True):
        assert one.vector is not None
        assert list(one.vector) == pytest.approx(list(other.vector or []), abs=1e-6)


def test_vectors_are_left_out_unless_asked_for(store: VectorStore) -> None:
    store.put([document("a")])
    assert store.get(["a"])["a"].passages[0].vector is None


def test_the_nearest_passages_come_first_with_their_cosine(store: VectorStore) -> None:
    store.put(
        [
            document("fund", "emergency fund savings", title="Fund"),
            document("tax", "income tax return"),
            document("mixed", "unrelated words here", "emergency savings advice"),
        ]
    )

    hits = store.query(hashed_vector("emergency fund savings"), 2, None)

    assert [(one.document_id, one.number) for one in hits] == [("fund", 0), ("mixed", 1)]
    assert hits[0].score == pytest.approx(1.0, abs=1e-6)
    assert hits[0].title == "Fund"
    assert hits[0].text == "emergency fund savings"
    best, next_best = (one.score for one in hits)
    assert best is not None
    assert next_best is not None
    assert next_best < best


@pytest.mark.parametrize("scale", [1e-30, 1.0, 3e38, 1e300])
def test_only_the_direction_of_a_query_counts(store: VectorStore, scale: float) -> None:
    store.put([document("a", "one two three"), document("b", "four five six")])
    vector = [one * scale for one in hashed_vector("one two three")]
    assert store.query(vector, 1, None)[0].document_id == "a"
    assert store.query(vector, 1, None)[0].score == pytest.approx(1.0, abs=1e-6)


def test_putting_a_document_again_replaces_all_of_its_passages(store: VectorStore) -> None:
    store.put([document("a", "alpha", "beta", "gamma")])
    store.put([document("a", "delta", version="v2")])

    assert [one.text for one in store.get(["a"])["a"].passages] == ["delta"]
    assert _found(store, "alpha beta gamma") == ["a"]
    assert [one.text for one in store.query(hashed_vector("beta"), 10, None)] == ["delta"]
    assert len(store.page(10, None).records) == 1


def test_another_instance_sees_what_was_written(new_store: Factory) -> None:
    writer, reader = new_store(), new_store()
    assert _found(reader, "alpha") == []
    writer.put([document("a", "alpha")])
    assert _found(reader, "alpha") == ["a"]
    writer.delete("a")
    assert _found(reader, "alpha") == []


def test_a_deleted_document_is_gone_and_can_be_stored_again(store: VectorStore) -> None:
    store.put([document("a", "alpha", "beta"), document("b", "beta")])

    assert store.delete("a")

    assert store.get(["a", "b"]).keys() == {"b"}
    assert _found(store, "alpha beta") == ["b"]
    assert [one.id for one in store.page(10, None).records] == ["b"]
    assert not store.delete("a")
    store.put([document("a", "alpha")])
    assert _found(store, "alpha", top_k=1) == ["a"]


def test_a_document_in_parts_is_listed_once_and_deleted_whole(store: VectorStore) -> None:
    parts = [part_id("book", number) for number in range(1, 130)]
    others = ["book-2", "book:p", "books:p2", "u/book"]
    store.put([document(one, "alpha", "beta") for one in [*parts[::-1], *others]])

    listed, cursor = [], None
    while True:
        page = store.page(2, cursor)
        listed += [(one.id, one.passages) for one in page.records]
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(listed) == [("book", 258), *((one, 2) for one in others)]
    assert [one.id for one in store.parts("book")] == parts

    assert store.delete("book")

    assert store.get(parts) == {}
    assert sorted(one.id for one in store.page(10, None).records) == others
    assert not store.delete("book")


def test_parts_that_an_interruption_left_are_listed_and_deleted(store: VectorStore) -> None:
    left = ["book:p2", "book:p77", "book:p150"]
    store.put([document(one, "alpha") for one in left])
    assert sorted(one.id for one in store.page(10, None).records) == sorted(left)
    assert store.delete("book:p77")  # a part by itself
    assert store.delete("book")
    assert store.page(10, None).records == ()
    assert not store.delete("book")


def test_only_the_later_parts_are_deleted_if_asked_for(store: VectorStore) -> None:
    store.put([document(part_id("book", number), "alpha") for number in (1, 2, 3)])
    assert store.delete("book", first_part=2)
    assert [one.id for one in store.page(10, None).records] == ["book"]
    assert not store.delete("book", first_part=2)


def test_pages_show_each_document_once(store: VectorStore) -> None:
    ids = {f"doc-{number:02}" for number in range(23)}
    store.put([document(one, "one", "two", "three") for one in sorted(ids)])

    seen: list[str] = []
    cursor = None
    for _ in range(100):
        page = store.page(5, cursor)
        assert len(page.records) <= 5
        seen += [record.id for record in page.records]
        cursor = page.cursor
        if cursor is None:
            break

    assert sorted(seen) == sorted(ids)


@pytest.mark.parametrize("cursor", ["_w", "-__-", "gICA"])
def test_a_cursor_of_unknown_origin_is_refused(store: VectorStore, cursor: str) -> None:
    store.put([document("a")])
    with pytest.raises(InvalidRequest, match="cursor"):
        store.page(5, cursor)


_FILTERED = [
    ({"topic": "tax"}, {"b", "d"}),
    ({"topic": {"$eq": "tax"}}, {"b", "d"}),
    ({"topic": {"$ne": "tax"}}, {"a", "c"}),
    ({"tags": "x"}, {"a", "b"}),
    ({"tags": {"$in": ["y", "z"]}}, {"b", "c"}),
    ({"tags": {"$nin": ["y", "z"]}}, {"a", "d"}),
    ({"year": {"$gt": 2020, "$lte": 2022}}, {"b"}),
    ({"year": {"$gte": 2020}, "topic": "tax"}, {"b"}),
    ({"year": {"$lt": 2022}}, {"a"}),
    ({"year": {"$exists": False}}, {"c", "d"}),
    ({"$or": [{"topic": "savings"}, {"tags": "z"}]}, {"a", "c"}),
    ({"$and": [{"topic": "tax"}, {"year": {"$exists": True}}]}, {"b"}),
    ({"flag": True}, {"a"}),
    ({"flag": 1}, {"b"}),
]


@pytest.mark.parametrize(("where", "expected"), _FILTERED)
def test_filters_mean_the_same_in_every_store(
    store: VectorStore, where: dict[str, Any], expected: set[str]
) -> None:
    metadata: dict[str, dict[str, MetadataValue]] = {
        "a": {"topic": "savings", "year": 2020, "tags": ["x"], "flag": True},
        "b": {"topic": "tax", "year": 2022, "tags": ["x", "y"], "flag": 1},
        "c": {"topic": "debt", "tags": ["z"]},
        "d": {"topic": "tax"},
    }
    store.put([document(one, "same text", metadata=what) for one, what in metadata.items()])
    assert set(_found(store, "same text", where=where)) == expected


def test_many_documents_in_one_put(store: VectorStore) -> None:
    """More vectors than fit into one call of the engine."""
    parts = range(7)
    store.put([document(f"d{n}", *(f"w{n} p{part}" for part in parts)) for n in range(100)])
    held = store.get([f"d{number}" for number in range(100)])
    assert len(held) == 100
    assert all(len(one.passages) == 7 for one in held.values())
    assert _found(store, "w42 p3", top_k=100).count("d42") >= 1


def test_vectors_of_another_model_are_not_compared(new_store: Factory) -> None:
    new_store().put([document("a")])
    other = new_store(space=f"other-model/{DIMENSIONS}")
    with pytest.raises(Conflict, match="fake-model"):
        other.query(hashed_vector("a"), 1, None)


def test_a_store_that_can_be_reached_passes_its_check(store: VectorStore) -> None:
    store.check()
    assert store.stats().backend in {"s3", "s3vectors"}
