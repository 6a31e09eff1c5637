"""Equal texts take one place of a result, and a document no more than allowed."""

from collections.abc import Callable

import pytest

from s3vector.ownership import OwnedStore
from s3vector.s3_store import S3VectorStore
from s3vector.search import Mode, Search
from s3vector.store import Document
from s3vector.tests.fakes import FakeEmbedder, document, hashed_vector

type NewSearch = Callable[..., Search]


@pytest.fixture
def new_search(new_s3_store: Callable[..., S3VectorStore]) -> NewSearch:
    def make(*documents: Document) -> Search:
        store = new_s3_store()
        store.put(documents)
        return Search(OwnedStore(store), FakeEmbedder())

    return make


def _ids(search: Search, text: str, *, top_k: int, per_document: int | None = None) -> list[str]:
    hits = search.by_text(text, top_k=top_k, per_document=per_document)
    return [f"{one.document_id}#{one.number}" for one in hits]


def test_equal_texts_take_one_place(new_search: NewSearch) -> None:
    search = new_search(
        document("a", "Deposit limit  is high"),
        document("b", "deposit LIMIT is\nhigh"),
        document("c", "\uff24eposit limit is high"),
        document("d", "deposit limit elsewhere"),
    )
    assert _ids(search, "deposit limit is high", top_k=2) == ["a#0", "d#0"]


@pytest.mark.parametrize("other", ["limit of 23,500 dollars", "limit of -24,000 dollars"])
def test_texts_with_other_numbers_are_not_equal(new_search: NewSearch, other: str) -> None:
    search = new_search(document("a", "limit of 24,000 dollars"), document("b", other))
    assert len(_ids(search, "limit of dollars", top_k=2)) == 2


def test_places_of_equal_texts_are_filled(new_search: NewSearch) -> None:
    """Also if there are far more of them than are fetched at first."""
    copies = [document(f"copy{number:03}", "same words") for number in range(60)]
    search = new_search(*copies, document("other", "same words but more"))
    assert _ids(search, "same words", top_k=2) == ["copy000#0", "other#0"]


def test_a_document_has_at_most_so_many_places(new_search: NewSearch) -> None:
    search = new_search(
        document("a", *(f"tax rate {number}" for number in range(5))),
        document("b", "tax something else"),
    )
    assert len(_ids(search, "tax rate", top_k=3)) == 3
    found = _ids(search, "tax rate", top_k=3, per_document=2)
    assert [one.partition("#")[0] for one in found] == ["a", "a", "b"]


def _modes(search: Search, text: str, mode: Mode) -> list[str]:
    return [one.document_id for one in search.by_text(text, mode=mode, top_k=3)]


def test_modes_compare_meaning_words_or_both(new_search: NewSearch) -> None:
    search = new_search(
        document("meaning", "anything", vectors=[hashed_vector("annual report")]),
        document("words", "the annual report", vectors=[hashed_vector("something else")]),
        document("neither", "other", vectors=[hashed_vector("nothing here")]),
    )
    assert _modes(search, "annual report", "dense")[0] == "meaning"
    assert _modes(search, "annual report", "lexical") == ["words"]
    assert _modes(search, "annual report", "hybrid")[:2] == ["meaning", "words"]


def test_a_search_for_words_embeds_nothing(new_s3_store: Callable[..., S3VectorStore]) -> None:
    """So it works while the model is throttled."""
    store, embedder = new_s3_store(), FakeEmbedder()
    store.put([document("a", "Form 10-K")])
    search = Search(OwnedStore(store), embedder)
    assert search.by_text("10-K", mode="lexical", top_k=1)[0].document_id == "a"
    assert embedder.asked == []


def test_the_best_cosine_survives_what_is_left_out(new_search: NewSearch) -> None:
    search = new_search(document("a", "tax rate"), document("b", "10-K"))
    hits = search.by_text("tax rate", mode="hybrid", top_k=1)
    assert hits.best_score == pytest.approx(1.0, abs=1e-6)
