"""Postings have every word of every row, and survive a file."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.postings import Postings, decode_postings, hashes_of, make_postings
from s3vector.words import words_of

_TEXTS = st.lists(
    st.lists(st.sampled_from(["tax", "10-K", "fund", "a"]), max_size=6).map(" ".join), max_size=6
)


def _rows_of(postings: Postings, word: str) -> dict[int, int]:
    return {
        int(postings.rows[place]): int(postings.counts[place])
        for _, start, end in postings.find(hashes_of([word]))
        for place in range(start, end)
    }


@given(_TEXTS)
def test_each_word_has_its_rows_and_counts(texts: list[str]) -> None:
    stored = decode_postings(make_postings(texts).encode(), rows=len(texts))
    assert stored is not None
    counts = [Counter(words_of(text)) for text in texts]
    assert stored.lengths.tolist() == [one.total() for one in counts]
    for word in ("tax", "10k", "10", "fund", "a", "other"):
        expected = {row: one[word] for row, one in enumerate(counts) if word in one}
        assert _rows_of(stored, word) == expected


def test_a_count_stops_at_255() -> None:
    assert _rows_of(make_postings(["tax " * 300]), "tax") == {0: 255}


def test_more_rows_than_16_bits_count() -> None:
    postings = make_postings([*[""] * 70_000, "tax"])
    assert _rows_of(postings, "tax") == {70_000: 1}


def test_postings_by_other_rules_are_not_used() -> None:
    fields = make_postings(["tax"]).encode() | {"version": 0}
    assert decode_postings(fields, rows=1) is None
    assert decode_postings(None, rows=1) is None


@pytest.mark.parametrize(
    ("name", "other"), [("rows", ["", "", "tax"]), ("lengths", ["tax", "tax"]), ("ends", ["a b"])]
)
def test_postings_that_do_not_fit_are_refused(name: str, other: list[str]) -> None:
    fields = make_postings(["tax"]).encode()
    fields[name] = make_postings(other).encode()[name]
    with pytest.raises(ValueError, match="postings"):
        decode_postings(fields, rows=1)
