"""The sets of completions are consistent; test_checker.py runs the check of answers on them."""

import itertools
import json
import re
from collections import Counter
from decimal import Decimal
from importlib import resources
from random import Random
from typing import Any

import pytest

from evaluation.completions import figures
from evaluation.completions.adversarial import ATTACKS, generate
from evaluation.completions.base import Base, bases
from evaluation.completions.case import Case, fragment, plain

FORMS = ["comparison", "hedged", "list", "partial", "prose", "question_back", "steps", "table"]


def _read(name: str) -> list[dict[str, Any]]:
    text = resources.files("evaluation.completions").joinpath(f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


HONEST = _read("honest")
SMALLER = [*_read("development"), *_read("held_out")]
CASES = list(generate(1000))

each_item = pytest.mark.parametrize(
    "item", [*HONEST, *SMALLER], ids=[item["id"] for item in [*HONEST, *SMALLER]]
)
each_base = pytest.mark.parametrize("base", bases(), ids=[base.id for base in bases()])

# White space, the marks of lists, headings and tables, and the line below a table's header.
_MARKUP = re.compile(r"[\s|#*•:-]*(?:\d+[.)]\s)?[\s|#*•:-]*")


def test_honest_has_eight_forms_of_similar_size() -> None:
    forms = Counter(item["form"] for item in HONEST)
    assert sorted(forms) == FORMS
    assert len(HONEST) >= 220
    assert min(forms.values()) >= 28
    assert len({item["id"] for item in HONEST}) == len(HONEST)
    assert len({item["completion"] for item in HONEST}) == len(HONEST)


@each_item
def test_honest_items_have_the_documented_fields(item: dict[str, Any]) -> None:
    assert set(item) == {"id", "form", "question", "passages", "completion", "units"}
    for passage in item["passages"]:
        assert {"id", "document_id", "title", "text"} <= set(passage)
        assert set(passage) <= {"id", "document_id", "title", "text", "page", "as_of"}
        assert passage["id"].startswith(f"{passage['document_id']}#")
    for unit in item["units"]:
        assert set(unit) <= {"text", "label", "note"}
        assert unit["label"] in {"true", "structure", "false"}
        assert "note" in unit or unit["label"] != "false"


@each_item
def test_units_cover_the_completion_in_order(item: dict[str, Any]) -> None:
    rest = item["completion"]
    for unit in item["units"]:
        markup, found, rest = rest.partition(unit["text"])
        assert found, unit["text"]
        assert _MARKUP.fullmatch(markup), markup
    assert _MARKUP.fullmatch(rest), rest


@each_item
def test_honest_items_cite_only_their_passages(item: dict[str, Any]) -> None:
    cited = set(re.findall(r"[a-z0-9-]+#\d+", item["completion"]))
    assert cited
    assert cited <= {passage["id"] for passage in item["passages"]}


def test_the_smaller_sets_have_true_and_false_units_over_documents_of_their_own() -> None:
    documents = {passage["document_id"] for item in HONEST for passage in item["passages"]}
    for items in (_read("development"), _read("held_out")):
        labels = Counter(unit["label"] for item in items for unit in item["units"])
        assert min(labels["true"], labels["false"]) > 50
        notes = {u["note"] for item in items for u in item["units"] if u["label"] == "false"}
        assert notes == {"figure", "statement"}
        own = {passage["document_id"] for item in items for passage in item["passages"]}
        assert not own & documents
        documents |= own


def test_nearly_all_claims_of_honest_items_are_true() -> None:
    labels = Counter(unit["label"] for item in HONEST for unit in item["units"])
    assert labels["true"] >= 600
    assert labels["true"] / (labels["true"] + labels["false"]) >= 0.95
    forms = {i["form"] for i in HONEST for unit in i["units"] if unit["label"] == "false"}
    assert forms == {"partial"}


def test_there_are_sixty_bases() -> None:
    assert len(bases()) >= 60
    assert len({base.id for base in bases()}) == len(bases())


@each_base
def test_true_claims_of_bases_have_the_figures_of_their_passages(base: Base) -> None:
    for claim in base.claims:
        text = " ".join(base.text(passage_id) for passage_id in claim.cites)
        for number in re.findall(r"\d+(?:[,.]\d+)*", claim.text):
            assert number in text, claim.text
        assert claim.figure in claim.text


def test_generates_the_same_cases_for_the_same_seed() -> None:
    assert list(generate(120)) == CASES[:120]
    assert list(generate(120, seed=1)) != CASES[:120]


def test_cases_are_different_and_spread_over_the_attacks() -> None:
    assert len({case.completion for case in CASES}) == len(CASES) == 1000
    counts = Counter(case.attack for case in CASES)
    assert set(counts) == set(ATTACKS)
    assert len(counts) >= 18
    assert min(counts.values()) >= 20


def test_every_case_lists_what_must_not_reach_the_caller() -> None:
    for case in CASES:
        assert case.forbidden or case.wrong_citations, case.id
        answer = case.completion
        wrong = [*case.forbidden, *case.wrong_citations]
        assert case.reached(answer, case.wrong_citations) == wrong, case.id


def test_forbidden_text_occurs_in_no_passage() -> None:
    for case in CASES:
        texts = [plain(passage["text"]).casefold() for passage in case.passages]
        for piece, text in itertools.product(case.forbidden, texts):
            assert piece.casefold() not in text, case.id


def test_the_true_claims_of_a_base_are_not_forbidden() -> None:
    faithful = {base.id: base for base in bases()}
    for case in CASES:
        # In these cases true sentences are forbidden, because others make them misleading.
        if case.attack in {"limit_false", "pronoun_orphaned"}:
            continue
        claims = faithful[case.base].claims
        answer = " ".join(f"{claim.text} [{n}]." for n, claim in enumerate(claims, start=1))
        if case.attack == "cut_off":
            answer = answer.replace(case.forbidden[0], "")
        assert case.reached(answer, []) == [], case.id


def test_only_cut_off_cases_stop_at_the_token_limit() -> None:
    assert {c.attack for c in CASES if c.stop_reason == "max_tokens"} == {"cut_off"}


def test_a_wrong_citation_occurs_only_at_the_attacked_claim() -> None:
    for case in CASES:
        for wrong in case.wrong_citations:
            cited = re.findall(
                rf"(?<![\w-]){re.escape(wrong)}(?!\d)", case.completion, re.IGNORECASE
            )
            assert len(cited) == 1 or "#" not in wrong, case.id


def test_reached_ignores_white_space_bold_and_case() -> None:
    case = Case("x", "y", "z", "q", (), "c", "end_turn", ("costs 9%",), ("fees#1",))
    assert case.reached("**Costs**\n9% a year [1].", ["FEES#1"]) == ["costs 9%", "fees#1"]
    assert case.reached("It costs 1% a year [1].", ["fees#2"]) == []


def test_a_fragment_grows_until_it_is_not_allowed() -> None:
    text = "Fund A costs 2% a year"
    assert fragment(text, "2%", ["1%"]) == "2%"
    assert fragment(text, "2%", ["Fund B costs 2%"]) == "2% a"
    assert fragment(text, "2%", ["2% a year. A costs 2%."]) == "costs 2% a"
    assert fragment(text, "2%", [f"{text}."]) is None


def test_a_wrong_rounding_is_no_rounding() -> None:
    rng = Random(0)
    for figure in ("185.00", "$4,512", "0.92%", "1.85%", "31 days") * 20:
        wrong = figures.rounded(rng, figure, off_by_one=True)
        if wrong is not None:
            value, near = (Decimal(re.sub(r"[^\d.]", "", text)) for text in (figure, wrong))
            shown = Decimal(1).scaleb(int(near.normalize().as_tuple().exponent))
            assert abs(value - near) > shown / 2


def test_changed_figures_differ() -> None:
    rng = Random(0)
    changes = [
        figures.another_digit,
        figures.another_word,
        figures.another_unit,
        figures.another_currency,
        figures.another_scale,
        figures.rounded,
    ]
    for base, change in itertools.product(bases(), changes):
        for claim in base.claims:
            assert not claim.figure or change(rng, claim.figure) != claim.figure
