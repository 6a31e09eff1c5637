"""Search by words agrees with BM25 over the texts that are live and match."""

from hashlib import sha256

import numpy as np
import pytest

from s3vector.filters import Filter, parse_filter
from s3vector.manifest import Manifest
from s3vector.ranking import fuse
from s3vector.segments import Segment, decode_segment, encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document, Hits
from s3vector.tests import plain_bm25
from s3vector.tests.fakes import DIMENSIONS, document, hashed_vector

_WORDS = ["tax", "fund", "10-K", "401(k)", "BRK.B", "rate", "the"]


def _segment(number: int, documents: list[Document], deleted: list[str]) -> Segment:
    data = encode_segment(documents, deleted, dimensions=DIMENSIONS)
    return decode_segment(f"s{number}", data, checksum=sha256(data).hexdigest())


def _snapshot(*segments: tuple[list[Document], list[str]]) -> Snapshot:
    decoded = [_segment(number, *one) for number, one in enumerate(segments)]
    return Snapshot(Manifest("space", DIMENSIONS, "2026-01-01"), decoded)


def _found(hits: Hits) -> dict[tuple[str, int], float | None]:
    return {(one.document_id, one.number): one.lexical for one in hits}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("filtered", [False, True])
def test_words_agree_with_the_formula(seed: int, filtered: bool) -> None:
    """Also after documents were replaced and deleted, which leaves their words in segments."""
    rng = np.random.default_rng(seed)
    live: dict[str, Document] = {}
    segments = []
    for turn in range(5):
        ids = sorted({f"d{number}" for number in rng.integers(0, 12, 5)})
        documents = [
            document(
                one,
                *(" ".join(rng.choice(_WORDS, rng.integers(0, 9))) for _ in range(2)),
                title="Title tax" if rng.random() < 0.3 else None,
                metadata={"parity": int(one[1:]) % 2},
                version=f"v{turn}",
            )
            for one in ids
        ]
        deleted = [f"d{number}" for number in rng.integers(0, 12, 2) if f"d{number}" not in ids]
        for one in deleted:
            live.pop(one, None)
        live |= {one.record.id: one for one in documents}
        segments.append((documents, deleted))
    rows = [
        (document_id, number, f"{one.record.title or ''}\n{passage.text}")
        for document_id, one in live.items()
        if not filtered or one.record.metadata["parity"]
        for number, passage in enumerate(one.passages)
    ]
    where: Filter | None = parse_filter({"parity": 1}) if filtered else None
    for question in ("tax of the 10-K", "BRK.B 401k", "the", "unknown words", ""):
        expected = {
            row[:2]: score
            for row, score in zip(
                rows, plain_bm25.scores(question, [row[2] for row in rows]), strict=True
            )
            if score
        }
        hits = _snapshot(*segments).search(None, 100, where, words=question)
        assert _found(hits) == pytest.approx(expected, rel=1e-4)
        ranked = sorted(expected.values(), reverse=True)
        assert [one.lexical for one in hits] == pytest.approx(ranked, rel=1e-4)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What does the 10-K say?", "form"),
        ("10K", "form"),
        ("limit of a 401(k)", "plan"),
        ("BRK.B", "share"),
        ("what is in \u00a7 230", "law"),
        ("\u4fe1\u8a17", "fund"),
    ],
)
def test_exact_identifiers_are_found(question: str, wanted: str) -> None:
    documents = [
        document("form", "Each company files a Form 10-K after its year."),
        document("other form", "Each company files a Form 10-Q after a quarter, within 10 days."),
        document("plan", "A 401(k) plan is offered by employers."),
        document("share", "Class B shares trade as BRK.B in New York."),
        document("law", "Offers are exempt under \u00a7 230 of the rules."),
        document("other law", "There are 230 rules about offers."),
        document("fund", "\u6295\u8cc7\u4fe1\u8a17\u306e\u8cbb\u7528"),
    ]
    snapshot = _snapshot((documents, []))
    assert snapshot.search(None, 1, None, words=question)[0].document_id == wanted
    hits = snapshot.search(hashed_vector(question), 3, None, words=question)
    assert wanted in [one.document_id for one in hits]


def test_what_others_store_does_not_change_a_score() -> None:
    """Otherwise a user could find out which words others' documents have."""
    own = [
        document("a", "merger with Acme", metadata={"of": 1}),
        document("b", "x", metadata={"of": 1}),
    ]
    others = [document(f"o{n}", "merger with Acme", metadata={"of": 2}) for n in range(5)]
    where = parse_filter({"of": 1})
    alone = _snapshot((own, [])).search(None, 5, where, words="Acme")
    assert _snapshot((own, []), (others, [])).search(None, 5, where, words="Acme") == alone
    assert _snapshot((own, []), (others, ["o1"])).search(None, 5, where, words="Acme") == alone


def test_hits_have_the_scores_of_their_mode() -> None:
    snapshot = _snapshot(([document("a", "tax rate"), document("b", "fund")], []))
    vector = hashed_vector("tax rate")
    (dense, *_), (lexical, *_), (hybrid, *_) = (
        snapshot.search(vector, 5, None),
        snapshot.search(None, 5, None, words="tax"),
        snapshot.search(vector, 5, None, words="tax"),
    )
    assert (dense.lexical, dense.fused, lexical.score, lexical.fused) == (None,) * 4
    assert (hybrid.score, hybrid.lexical) == (dense.score, lexical.lexical)
    assert hybrid.fused == pytest.approx(1.0, abs=1e-6)


def test_the_best_cosine_is_that_of_all_passages() -> None:
    snapshot = _snapshot(([document("a", "tax rate"), document("b", "10-K")], []))
    vector = hashed_vector("tax rate")
    hits = snapshot.search(vector, 1, None, words="10-K 10-K")
    assert hits.best_score == pytest.approx(1.0, abs=1e-6)
    assert snapshot.search(vector, 1, None).best_score == pytest.approx(1.0, abs=1e-6)
    assert snapshot.search(None, 1, None, words="tax").best_score is None
    assert _snapshot().search(vector, 1, None, words="tax").best_score is None


def test_scores_are_fused_on_one_scale() -> None:
    cosines = np.array([0.9, 0.1, 0.2, -np.inf], dtype=np.float32)
    lexical = np.array([0.0, 4.0, 2.0, 0.0], dtype=np.float32)
    scores = fuse(cosines, lexical)
    assert scores.tolist() == pytest.approx([0.7, 0.3 - 0.42, 0.15 - 0.28, -np.inf], abs=1e-6)
