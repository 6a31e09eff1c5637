"""Texts are split at paragraphs, sentences and words, and nothing is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.passages import split_text


def test_a_short_text_is_one_passage() -> None:
    assert split_text("  Keep an emergency fund.\n") == ["Keep an emergency fund."]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t "])
def test_a_blank_text_has_no_passages(text: str) -> None:
    assert split_text(text) == []


def test_a_cut_between_paragraphs_has_no_overlap() -> None:
    first, second = "One sentence here. " * 4, "Another one there. " * 4
    passages = split_text(f"{first}\n\n{second}", max_characters=100, overlap=30)
    assert passages == [first.strip(), second.strip()]


def test_a_long_paragraph_is_cut_after_a_sentence_and_overlaps() -> None:
    text = " ".join(f"Sentence number {number} says something." for number in range(8))
    passages = split_text(text, max_characters=120, overlap=50)
    assert len(passages) > 2
    assert all(passage.endswith(".") for passage in passages)
    assert all(passage.startswith("Sentence") for passage in passages)
    for one, following in pairwise(passages):
        assert following.split(".")[0] in one


def test_a_text_without_sentences_is_cut_between_words() -> None:
    passages = split_text("word " * 100, max_characters=48, overlap=0)
    assert all(set(passage.split()) == {"word"} for passage in passages)


def test_a_text_without_spaces_is_cut_anywhere() -> None:
    assert split_text("x" * 250, max_characters=100, overlap=20) == ["x" * 100, "x" * 100, "x" * 50]


def test_the_largest_text_can_be_split() -> None:
    assert len(split_text("a" * 50_000)) == 42
    assert len(split_text("? " * 25_000)) > 40


def test_an_overlap_of_half_a_passage_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        split_text("x", max_characters=100, overlap=50)


_TEXTS = st.text(alphabet=st.sampled_from("ab漢é.!?\"') \n\t\u2003\x1f"), max_size=400)


@given(_TEXTS, st.integers(2, 60), st.data())
def test_passages_cover_the_text_in_order(text: str, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, max(0, size // 2 - 1)))
    passages = split_text(text, max_characters=size, overlap=overlap)

    assert all(0 < len(passage) <= size for passage in passages)
    assert all(passage == passage.strip() for passage in passages)
    # Where the passages so far can end. Several places are possible: "??" occurs three times in
    # "????".
    reached = {0}
    for passage in passages:
        # Each passage begins within or directly after the text before, and extends beyond it.
        reached = {
            start + len(passage)
            for covered in reached
            for start in range(max(0, covered - overlap), len(text))
            if text.startswith(passage, start)
            and not text[covered:start].strip()
            and start + len(passage) > covered
        }
        assert reached
    assert any(not text[covered:].strip() for covered in reached)


@given(_TEXTS, st.integers(4, 60))
def test_without_overlap_the_passages_are_the_text(text: str, size: int) -> None:
    passages = split_text(text, max_characters=size, overlap=0)
    assert "".join("".join(passages).split()) == "".join(text.split())
