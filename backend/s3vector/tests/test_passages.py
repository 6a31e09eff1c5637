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


@pytest.mark.parametrize(
    "sentence",
    [
        # Chinese, Japanese in quotation marks, Hindi, Arabic, Khmer
        "\u5b58\u6b3e\u6709\u4fdd\u969c\u3002",
        "\u9810\u91d1\u306f\u4fdd\u8b77\u3055\u308c\u307e\u3059\uff01\u300d",
        "\u091c\u092e\u093e \u0938\u0941\u0930\u0915\u094d\u0937\u093f\u0924 \u0939\u0948\u0964 ",
        "\u0647\u0644 \u0627\u0644\u0648\u062f\u064a\u0639\u0629 \u0622\u0645\u0646\u0629\u061f ",
        "\u1794\u17d2\u179a\u17b6\u1780\u17cb\u17d4",
        "It costs approx. five francs. ",
    ],
)
def test_sentences_of_all_scripts_stay_whole_and_overlap(sentence: str) -> None:
    passages = split_text(sentence * 40, max_characters=100, overlap=45)
    assert len(passages) > 2
    whole = sentence.strip()
    for passage in passages:
        assert passage.startswith(whole)
        assert passage.endswith(whole)
    assert sum(passage.count(whole) for passage in passages) > 40


def test_thai_is_cut_at_spaces_and_no_vowel_sign_loses_its_letter() -> None:
    phrase = "\u0e40\u0e07\u0e34\u0e19\u0e1d\u0e32\u0e01\u0e44\u0e14\u0e49\u0e23\u0e31\u0e1a"
    passages = split_text(f"{phrase} " * 30, max_characters=60, overlap=0)
    assert all(set(passage.split()) == {phrase} for passage in passages)
    signs = split_text("\u0e01\u0e49" * 100, max_characters=31, overlap=0)
    assert all(not passage.startswith("\u0e49") for passage in signs)


def test_a_long_table_repeats_its_header_and_keeps_each_row_whole() -> None:
    header = "| Account | Rate |\n| --- | --- |"
    rows = [f"| Account {number}. A saver. | {number}.5 % |" for number in range(40)]
    text = "Rates.\n\n" + "\n".join([header, *rows]) + "\n\nAfter the table."
    passages = split_text(text, max_characters=300, overlap=60)
    assert len(passages) > 4
    assert all(header in passage for passage in passages)
    found = [line for passage in passages for line in passage.split("\n") if line in rows]
    assert found == rows
    assert passages[-1].endswith("After the table.")


def test_headings_above_a_passage_are_its_context() -> None:
    body = "Some words about it. " * 12
    text = (
        f"# Handbook\n\n## Fees\n\n{body}\n\n### Cash\n\n{body}\n\n"
        f"```\n# a comment\n```\n\n{body}\n\n## Rates\n\n{body}"
    )
    passages = split_text(text, title="Handbook", max_characters=300, overlap=0)
    starts = [passage.partition("\n\n")[0::2] for passage in passages]
    assert [start[0] for start in starts] == [
        "# Handbook", "## Fees", "## Fees\n### Cash", "## Rates",
    ]  # fmt: skip
    assert starts[1][1].startswith("### Cash\n\nSome words")
    assert starts[2][1].startswith("Some words")  # the comment of the code is no heading
    assert all(len(passage) <= 300 for passage in passages)


def test_a_context_that_would_take_much_of_the_passage_is_left_out() -> None:
    text = f"# {'Long ' * 12}\n\n" + "word " * 60
    assert all(
        "Long" not in passage for passage in split_text(text, max_characters=100, overlap=0)[1:]
    )
