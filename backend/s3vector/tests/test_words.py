"""Words are found however people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3vector.words import words_of


@pytest.mark.parametrize(
    ("written", "others"),
    [
        ("10-K", ["10-k", "10K", "\uff11\uff10\uff0d\uff2b", "10\u2011K"]),
        ("401(k)", ["401(K)", "401k", "\uff14\uff10\uff11\uff08\uff4b\uff09"]),
        ("BRK.B", ["brk.b", "BRK-B", "BRK/B", "BRKB"]),
        ("\u00a7 401", ["\u00a7401", "\u00a7\u00a7 401"]),
        ("S&P", ["s&p"]),
        ("501(c)(3)", ["501(C)(3)", "501c3"]),
        ("23,500", ["23500"]),
        ("Stra\u00dfe", ["STRASSE"]),
        ("\ufb01nance", ["Finance"]),
    ],
)
def test_an_identifier_is_one_word_however_it_is_written(written: str, others: list[str]) -> None:
    whole = words_of(written)[-1]
    for other in others:
        assert words_of(other)[-1] == whole
        assert whole in words_of(f"See ({other}), please.")


@pytest.mark.parametrize(
    ("one", "other"),
    [("4.5", "45"), ("10-K", "10-Q"), ("1.2.3", "12.3"), ("2025-01-02", "20250102"), ("A", "B")],
)
def test_other_identifiers_and_numbers_differ(one: str, other: str) -> None:
    assert words_of(one)[-1] != words_of(other)[-1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("short-term", ["short", "term", "shortterm"]),
        ("and/or", ["and", "or", "andor"]),
        ("401(k)", ["401", "401k"]),
        ("company's", ["company", "s"]),
        ("the end.The next", ["the", "end", "the", "endthe", "next"]),
        ("4.5 %", ["4.5"]),
        ("a_b", ["ab"]),
        (
            "https://example.org/some/very/long/path",
            ["https", *["example", "org", "some", "very", "long", "path"]],
        ),
    ],
)
def test_parts_of_a_word_are_words_too(text: str, parts: list[str]) -> None:
    assert words_of(text) == parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u6295\u8cc7\u4fe1\u8a17", ["\u6295\u8cc7", "\u8cc7\u4fe1", "\u4fe1\u8a17"]),
        ("\u682a", ["\u682a"]),
        ("NISA\u53e3\u5ea7", ["nisa", "\u53e3\u5ea7"]),
        ("\uff76\uff85", ["\u30ab\u30ca"]),
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902",
            ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u092e\u0947\u0902"],
        ),
        ("Z\u00fcrich", ["z\u00fcrich"]),
        ("", []),
        ("-- () \u2026", []),
    ],
)
def test_scripts_without_spaces_give_pairs_and_signs_belong_to_their_word(
    text: str, expected: list[str]
) -> None:
    assert words_of(text) == expected


@given(st.text(max_size=200))
def test_every_text_has_words_without_spaces(text: str) -> None:
    assert all(word and not word.isspace() for word in words_of(text))
    assert words_of(f"{text} {text}")[: len(words_of(text))] == words_of(text)
