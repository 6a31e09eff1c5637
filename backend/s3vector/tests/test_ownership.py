"""A user finds their own and the common documents and no others, with both engines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from s3vector.documents import Documents
from s3vector.filters import parse_filter
from s3vector.ownership import OWNER_KEY, OwnedStore
from s3vector.store import VectorStore
from s3vector.tests.fakes import FakeEmbedder, document, hashed_vector
from shared.documents import DocumentBody
from shared.errors import NotFound, UserNotPermitted
from shared.ingestion.parts import part_id
from shared.request.user import User, acting_for

type Factory = Callable[..., VectorStore]

ANA, BEN = User("ana"), User("ben")
CURATOR = User("carla", is_curator=True)
NORTH, SOUTH = User("ana", "north"), User("ana", "south")
NORTHS_CURATOR = User("carla", "north", is_curator=True)


@pytest.fixture(params=["s3", "s3vectors"])
def engine(request: pytest.FixtureRequest) -> VectorStore:
    factory: Factory = request.getfixturevalue(f"new_{request.param}_store")
    return factory()


@pytest.fixture
def store(engine: VectorStore) -> OwnedStore:
    return OwnedStore(engine)


@contextmanager
def _as(user: User | None) -> Iterator[None]:
    with acting_for(user):
        yield


def _put(store: OwnedStore, user: User | None, *ids: str) -> None:
    with _as(user):
        store.put([document(one, f"{one} of {user and user.subject}") for one in ids])


def _read(store: OwnedStore, document_id: str) -> list[str]:
    texts: list[str] = []
    following: int | None = 0
    while following is not None and (found := store.read(document_id, following)):
        texts += [one.text for part in found.parts for one in part.passages]
        following = found.following
    return texts


def _seen(store: OwnedStore, user: User | None, where: Any = None) -> list[str]:
    """Return what a user finds, the same by search, by list and by id."""
    with _as(user):
        hits = store.query(hashed_vector("of"), 50, parse_filter(where) if where else None)
        texts = sorted({hit.text for hit in hits})
        if where is None:
            listed = store.page(50, None).records
            assert texts == sorted({text for one in listed for text in _read(store, one.id)})
            assert not [one for one in listed if OWNER_KEY in one.metadata]
        assert not [hit for hit in hits if OWNER_KEY in hit.metadata]
        return texts


def test_own_documents_are_read_by_their_owner_only(store: OwnedStore) -> None:
    _put(store, ANA, "notes")
    _put(store, BEN, "notes", "more")
    assert _seen(store, ANA) == ["notes of ana"]
    assert _seen(store, BEN) == ["more of ben", "notes of ben"]
    assert _seen(store, None) == []
    assert _seen(store, User("ana", "north")) == []


@pytest.mark.parametrize("writer", [None, CURATOR])
def test_common_documents_are_read_by_everybody(store: OwnedStore, writer: User | None) -> None:
    _put(store, writer, "rates")
    for reader in (None, ANA, BEN, CURATOR):
        assert len(_seen(store, reader)) == 1


def test_a_tenants_common_documents_are_read_within_the_tenant(store: OwnedStore) -> None:
    _put(store, NORTHS_CURATOR, "rates")
    assert _seen(store, NORTH) == ["rates of carla"]
    for other in (SOUTH, ANA, CURATOR, None):
        assert _seen(store, other) == []


def test_an_own_document_hides_the_common_one_with_its_id(store: OwnedStore) -> None:
    _put(store, None, "rates")
    _put(store, ANA, "rates")
    with _as(ANA):
        found = store.query(hashed_vector("rates of"), 50, None)
        assert [one.text for one in found] == ["rates of ana"]
        own = store.read("rates")
        assert own is not None
        assert own.record.owner == ANA.own
        store.delete("rates")
    assert _seen(store, ANA) == _seen(store, BEN) == ["rates of None"]


def test_a_callers_filter_cannot_reach_the_owner(store: OwnedStore) -> None:
    _put(store, BEN, "notes")
    _put(store, ANA, "mine")
    for where in ({"x": {"$exists": False}}, {"$or": [{"x": {"$ne": 1}}, {"x": 1}]}):
        assert _seen(store, ANA, where) == ["mine of ana"]
    with pytest.raises(Exception, match="must not be empty or start with '_'"):
        parse_filter({OWNER_KEY: BEN.own})


def test_only_a_writer_of_a_document_deletes_it(store: OwnedStore) -> None:
    _put(store, CURATOR, "rates")
    _put(store, BEN, "notes")
    with _as(ANA):
        with pytest.raises(UserNotPermitted, match="curators"):
            store.delete("rates")
        assert not store.delete("notes")  # like a document that does not exist
    with _as(CURATOR):
        assert not store.delete("notes")
        assert store.delete("rates")
    assert _seen(store, BEN) == ["notes of ben"]


def test_a_document_in_parts_is_read_and_deleted_for_its_owner_only(store: OwnedStore) -> None:
    parts = [part_id("book", number) for number in range(1, 24)]
    for owner in (None, ANA):
        _put(store, owner, *parts)
    with _as(ANA):
        first = store.read("book")
        assert first is not None
        assert (len(first.parts), first.following, first.record.passages) == (20, 20, 23)
        rest = store.read("book", 20)
        assert rest is not None
        assert [one.record.id for one in rest.parts] == parts[20:]
        assert (rest.following, rest.record.owner) == (None, ANA.own)
        assert store.delete("book")
        left = store.read("book")
        assert left is not None
        assert left.record.owner is None
    assert "book of None" in _seen(store, ANA)


def test_an_operator_lists_and_deletes_the_documents_of_an_owner(store: OwnedStore) -> None:
    _put(store, None, "notes")
    _put(store, ANA, "notes", "more")
    _put(store, BEN, "notes")
    with _as(None):
        assert sorted(one.id for one in store.page(50, None, ANA.own).records) == ["more", "notes"]
        assert store.delete("notes", ANA.own)
        assert not store.delete("notes", ANA.own)
    assert _seen(store, ANA) == ["more of ana", "notes of None"]
    assert _seen(store, BEN) == ["notes of ben"]


def test_a_tenants_curators_do_not_change_what_all_tenants_read(store: OwnedStore) -> None:
    _put(store, None, "rates")
    with _as(NORTHS_CURATOR), pytest.raises(UserNotPermitted):
        store.delete("rates")
    _put(store, NORTHS_CURATOR, "rates")
    assert _seen(store, NORTH) == ["rates of carla"]
    assert _seen(store, SOUTH) == ["rates of None"]


def test_the_same_text_as_a_common_document_is_stored_as_ones_own(store: OwnedStore) -> None:
    documents = Documents(store, FakeEmbedder(), max_passages=50)
    body = DocumentBody(id="rates", text="The rate is 2 %.")
    documents.put([body])
    with _as(ANA):
        [record] = documents.put([body])
        assert record.id == "rates"
        assert documents.read("rates").record.owner == ANA.own
        documents.delete("rates")
    with _as(BEN):
        assert documents.read("rates").record.owner is None
        with pytest.raises(NotFound):
            documents.read("notes")


def test_pages_contain_a_users_documents_in_full(store: OwnedStore) -> None:
    _put(store, BEN, *(f"ben-{number}" for number in range(7)))
    _put(store, ANA, *(f"ana-{number}" for number in range(5)))
    _put(store, None, "rates")
    found: list[str] = []
    cursor = None
    with _as(ANA):
        while True:
            page = store.page(2, cursor)
            assert len(page.records) <= 2
            found += [one.id for one in page.records]
            if (cursor := page.cursor) is None:
                break
    assert sorted(found) == [*(f"ana-{number}" for number in range(5)), "rates"]


def test_what_was_stored_without_users_is_stored_as_before(
    store: OwnedStore, engine: VectorStore
) -> None:
    put = document("rates", metadata={"topic": "savings"})
    store.put([put])
    assert engine.get(["rates"])["rates"].record == put.record
