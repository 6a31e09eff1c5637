"""Only changed passages are embedded; each document is stored completely."""

from collections.abc import Callable, Sequence

import pytest

from s3vector.documents import Documents
from s3vector.ownership import OwnedStore
from s3vector.s3_store import S3VectorStore
from s3vector.store import Vector
from s3vector.tests.fakes import FakeEmbedder
from shared.documents import DocumentBody, MetadataValue
from shared.errors import NotFound, PayloadTooLarge


def _draft(
    document_id: str,
    text: str,
    title: str | None = None,
    metadata: dict[str, MetadataValue] | None = None,
) -> DocumentBody:
    return DocumentBody(id=document_id, text=text, title=title, metadata=metadata or {})


def _long(marker: str) -> str:
    """Three passages; the marker is in the second."""
    paragraph = "Some words about money. " * 40
    return f"{paragraph}\n\n{marker} {paragraph}\n\nAt last: {paragraph}"


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def store(new_s3_store: Callable[..., S3VectorStore]) -> S3VectorStore:
    return new_s3_store()


@pytest.fixture
def documents(store: S3VectorStore, embedder: FakeEmbedder) -> Documents:
    return Documents(OwnedStore(store), embedder, max_passages=50)


def test_a_put_answers_with_each_document_in_order(documents: Documents) -> None:
    records = documents.put([_draft("b", _long("x")), _draft("a", "short")])
    assert [(one.id, one.passages) for one in records] == [("b", 3), ("a", 1)]


def test_a_repeated_put_embeds_and_writes_nothing(
    documents: Documents, store: S3VectorStore, embedder: FakeEmbedder
) -> None:
    drafts = [_draft("a", _long("x"), "Title", {"k": ["b", "a"], "j": 1})]
    first = documents.put(drafts)
    embedder.asked.clear()
    stats = store.stats()

    assert documents.put(drafts) == first

    assert embedder.asked == []
    assert store.stats() == stats


def test_only_passages_that_changed_are_embedded_again(
    documents: Documents, embedder: FakeEmbedder
) -> None:
    documents.put([_draft("a", _long("before"))])
    embedder.asked.clear()
    (record,) = documents.put([_draft("a", _long("after"))])
    assert record.passages == 3
    assert len(embedder.asked) == 1
    assert embedder.asked[0].startswith("after")
    assert [one.text.split()[0] for one in documents.read("a").parts[0].passages] == [
        "Some",
        "after",
        "At",
    ]


def test_new_metadata_is_stored_without_embedding(
    documents: Documents, embedder: FakeEmbedder
) -> None:
    (first,) = documents.put([_draft("a", "text", metadata={"k": 1})])
    embedder.asked.clear()
    (second,) = documents.put([_draft("a", "text", metadata={"k": 2})])
    assert first.version != second.version
    assert embedder.asked == []
    assert documents.read("a").record.metadata == {"k": 2}


def test_a_new_title_is_embedded_because_it_is_part_of_each_vector(
    documents: Documents, embedder: FakeEmbedder
) -> None:
    documents.put([_draft("a", "text", "Before")])
    embedder.asked.clear()
    documents.put([_draft("a", "text", "After")])
    assert embedder.asked == ["After\n\ntext"]


def test_equal_passages_of_several_documents_are_embedded_once(
    documents: Documents, embedder: FakeEmbedder
) -> None:
    documents.put([_draft("a", "same"), _draft("b", "same"), _draft("c", "other")])
    assert embedder.asked == ["same", "other"]


def test_too_many_passages_are_refused_before_any_work(
    documents: Documents, embedder: FakeEmbedder, store: S3VectorStore
) -> None:
    with pytest.raises(PayloadTooLarge, match="at most 50"):
        documents.put([_draft(f"d{number}", _long("x")) for number in range(17)])
    assert embedder.asked == []
    assert store.stats().documents == 0


def test_when_the_model_fails_nothing_is_stored(store: S3VectorStore) -> None:
    class Failing(FakeEmbedder):
        def embed(self, texts: Sequence[str]) -> list[Vector]:
            raise RuntimeError("the model fails")

    Documents(OwnedStore(store), FakeEmbedder(), max_passages=9).put([_draft("a", "before")])
    with pytest.raises(RuntimeError):
        Documents(OwnedStore(store), Failing(), max_passages=9).put(
            [_draft("a", "after"), _draft("b", "b")]
        )
    assert store.get(["a", "b"])["a"].passages[0].text == "before"
    assert "b" not in store.get(["b"])


def test_an_unknown_document_is_named(documents: Documents) -> None:
    with pytest.raises(NotFound, match="'missing'"):
        documents.read("missing")
    with pytest.raises(NotFound, match="'missing'"):
        documents.delete("missing")


def test_a_whole_document_replaces_all_parts_of_a_longer_one(
    documents: Documents, store: S3VectorStore
) -> None:
    documents.put([_draft(one, "a part") for one in ("a", "a:p2", "a:p3", "ab", "b:p2")])
    documents.put([_draft("a", "a part")])  # the first part again
    assert len(documents.read("a").parts) == 3

    documents.put([_draft("a", "short"), _draft("c", "new")], whole=True)

    assert [one.record.id for one in documents.read("a").parts] == ["a"]
    assert [one.id for one in store.page(9, None).records] == ["a", "ab", "b:p2", "c"]
