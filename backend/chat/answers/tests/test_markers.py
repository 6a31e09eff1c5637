"""Citation markers in every form that models write."""

import pytest

from chat.answers.markers.parser import parse
from chat.answers.passages import Passage

PASSAGES = [
    Passage("bonds#0", "bonds", "Bonds swing less than shares [2] do.", title="Bonds"),
    Passage("emergency-fund#0", "emergency-fund", "Three to six months.", title="Reserve"),
    Passage("emergency-fund#1", "emergency-fund", "Keep it safe.", title="Reserve"),
]


def cited(completion: str) -> tuple[str, set[int], bool]:
    """The text, the positions of the cited passages, and whether an id was unknown."""
    marked = parse(completion, PASSAGES)
    known = {index for marker in marked.markers for index in marker.passages}
    return marked.text, known, any(marker.unknown for marker in marked.markers)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("[bonds#0]", {0}),
        ("[BONDS#0]", {0}),
        ("[Bonds #0]", {0}),
        ("[emergency_fund#0]", {1}),
        ("[emergency\u2011fund#0]", {1}),
        ("[bonds#0, emergency-fund#0]", {0, 1}),
        ("[bonds#0; emergency-fund#0]", {0, 1}),
        ("[bonds#0 and emergency-fund#0]", {0, 1}),
        ("[bonds#0 & emergency-fund#0]", {0, 1}),
        ("[bonds#0 emergency-fund#0]", {0, 1}),
        ("[bonds#0][emergency-fund#0]", {0, 1}),
        ("[emergency-fund#0-1]", {1, 2}),
        ("[emergency-fund#0, #1]", {1, 2}),
        ("[1]", {0}),
        ("[1, 3]", {0, 2}),
        ("[1-3]", {0, 1, 2}),
        ("[1\u20133]", {0, 1, 2}),
        ("(bonds#0)", {0}),
        ("\u3010bonds#0\u3011", {0}),
        ("\u30101\u2020source\u3011", {0}),
        ("\u27e6bonds#0\u27e7", {0}),
        ("<bonds#0>", {0}),
        ("<cite>bonds#0</cite>", {0}),
        ('<source id="bonds#0"/>', {0}),
        ("{bonds#0}", {0}),
        ("[^1]", {0}),
        ("^[1]", {0}),
        ("\u00b9", {0}),
        ("\u00b9\u02d2\u00b2", {0, 1}),
        ("[doc: bonds#0]", {0}),
        ("[Source: bonds#0]", {0}),
        ("(Source: bonds#0)", {0}),
        ("(see passage 2)", {1}),
        ("[passage 1]", {0}),
        ("[`bonds#0`]", {0}),
        ("[bonds#0](https://example.org/x)", {0}),
        ("(1)", {0}),
    ],
)
def test_a_marker_in_any_form_cites(marker: str, expected: set[int]) -> None:
    assert cited(f"Bonds swing little {marker}.") == ("Bonds swing little.", expected, False)


@pytest.mark.parametrize(
    "marker",
    [
        "[made-up#4]",
        "[17]",
        "\u301099\u3011",
        "[^9]",
        "(made-up#4)",
        "[Smith, 2020]",
        "[source: IRS]",
    ],
)
def test_an_unknown_id_leaves_the_text(marker: str) -> None:
    assert cited(f"Bonds swing little {marker}.") == ("Bonds swing little.", set(), True)


def test_known_ids_count_beside_unknown_ones() -> None:
    assert cited("Little [bonds#0, made-up#7].") == ("Little.", {0}, True)


def test_a_marker_of_the_document_is_no_citation() -> None:
    assert cited("They swing less than shares [2] do.")[1:] == (set(), False)


@pytest.mark.parametrize(
    "text", ["A 401(k) plan (or 403(b)).", "It fell (by 5 %).", "If x < 5 % then y > 3 %."]
)
def test_brackets_of_the_text_stay(text: str) -> None:
    assert cited(text) == (text, set(), False)


def test_a_link_to_an_unknown_address_keeps_its_words_only() -> None:
    assert cited("See [the rules](https://example.org).") == ("See the rules.", set(), True)


def test_footnotes_mean_what_the_model_says_they_mean() -> None:
    text, known, unknown = cited("Keep it safe[^1].\n\n[^1]: emergency-fund#1\n")
    assert (text.strip(), known, unknown) == ("Keep it safe.", {2}, False)


def test_a_list_of_sources_is_not_part_of_the_answer() -> None:
    text, known, _ = cited("Little [1].\n\nSources:\n[1] emergency-fund#0\n[2] bonds#0")
    assert text.strip() == "Little."
    assert known == {1}


def test_a_line_of_markers_belongs_to_the_line_before() -> None:
    marked = parse("Bonds swing little.\n\nSource: bonds#0", PASSAGES)
    assert marked.text == "Bonds swing little."
    assert [marker.offset for marker in marked.markers] == [len(marked.text)]


def test_hostile_brackets_take_linear_time() -> None:
    parse("[" * 20_000 + "(" * 20_000 + "<" * 10_000, PASSAGES)
