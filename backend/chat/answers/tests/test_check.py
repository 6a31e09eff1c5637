"""The answer, citations and status that a check of a completion returns."""

from unittest.mock import Mock

import pytest

from chat.answers import check as check_module
from chat.answers.check import MAX_UNIT_CHARACTERS, MAX_UNITS, Segment, check
from chat.answers.checked_answer import CheckedAnswer
from chat.answers.claims import Reason
from chat.answers.passages import Passage
from chat.answers.proving import Proof, Prover
from chat.answers.tests.samples import passages
from chat.answers.units import Unit


def ask(
    completion: str | list[Segment],
    *names: str,
    question: str = "What do the documents say?",
    stop_reason: str = "end_turn",
) -> CheckedAnswer:
    """Check a completion against sample passages, which it numbers from 1."""
    return check(completion, passages(*names), question=question, stop_reason=stop_reason)


def reasons(answer: CheckedAnswer) -> list[str]:
    """The reasons of the removed units."""
    return [removed.reason.value for removed in answer.removed]


GUIDE = "Withdraw 4 % of the portfolio in the first year"


def test_a_supported_claim_stands_with_its_quote_and_spans() -> None:
    answer = ask(f"{GUIDE} [withdrawal-rate#0].", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1]."
    assert answer.status == "answered"
    (citation,) = answer.citations
    text = passages("withdrawal-rate")[0].text
    assert citation.quote == text[citation.start : citation.end]
    assert "four per cent of the portfolio" in citation.quote
    assert (citation.marker, citation.passage_id) == (1, "withdrawal-rate#0")
    assert [answer.answer[span.start : span.end] for span in citation.spans] == [answer.answer]


def test_spans_count_code_points() -> None:
    answer = ask(f"\U0001f600 Hi there, welcome?\n\n{GUIDE} [1].", "withdrawal-rate")
    (span,) = answer.citations[0].spans
    assert answer.answer[span.start : span.end] == f"{GUIDE} [1]."


def test_a_wrong_figure_goes() -> None:
    answer = ask(f"{GUIDE} [1]. You may withdraw 12 % [1].", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1]."
    assert (answer.status, reasons(answer)) == ("partial", ["number_not_in_source"])


def test_a_wrong_figure_that_the_question_suggests_goes() -> None:
    answer = ask("You may withdraw 12 % [1].", "withdrawal-rate", question="May I withdraw 12 %?")
    assert answer.answer == ""
    assert answer.status == "unknown"


def test_a_figure_of_the_question_stands_and_is_marked() -> None:
    answer = ask(
        "If you have $50,000, withdraw 4 % of the portfolio in the first year [1].",
        "withdrawal-rate",
        question="I have $50,000. How much may I withdraw?",
    )
    assert [answer.answer[s.start : s.end] for s in answer.question_figures] == ["$50,000"]


@pytest.mark.parametrize(
    ("calculation", "stands"),
    [
        ("$50,000 \u00d7 4 % = $2,000", True),
        ("4 % of $50,000 = $2,000", True),
        ("$50,000 \u00d7 4 % = $2,500", False),
        ("$50,000 \u00d7 5 % = $2,500", False),
    ],
)
def test_a_shown_calculation_needs_proven_operands_and_the_right_result(
    calculation: str, stands: bool
) -> None:
    answer = ask(
        f"In the first year: {calculation} [1].",
        "withdrawal-rate",
        question="I have $50,000. How much may I withdraw?",
    )
    assert bool(answer.answer) is stands


def test_a_claim_that_the_check_fails_on_goes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prove, log = Prover.prove, Mock()

    def failing(self: Prover, unit: Unit) -> Proof | Reason:
        if unit.index:
            raise IndexError("tuple index out of range")
        return prove(self, unit)

    monkeypatch.setattr(Prover, "prove", failing)
    monkeypatch.setattr(check_module, "_log", log)
    answer = ask(f"{GUIDE} [1]. Bonds swing less than shares [2].", "withdrawal-rate", "bonds")
    assert answer.answer == f"{GUIDE} [1]."
    assert [one.reason for one in answer.removed] == ["not_supported"]
    [line] = log.error.call_args_list
    assert line.args == ("unit_not_checked",)
    assert isinstance(line.kwargs["exc_info"], IndexError)
    assert "swing" not in str(line)


def test_an_uncited_claim_goes() -> None:
    answer = ask(f"{GUIDE} [1].\n\nBonds are guaranteed by law.", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1]."
    assert reasons(answer) == ["no_citation"]


def test_an_uncited_claim_behind_the_last_citation_goes() -> None:
    answer = ask(f"{GUIDE} [1]. Keep two years of spending in cash.", "withdrawal-rate")
    assert reasons(answer) == ["no_citation"]


def test_a_citation_covers_the_uncited_sentences_before_it() -> None:
    answer = ask(f"{GUIDE}. After that, adjust the amount for inflation [1].", "withdrawal-rate")
    assert answer.status == "answered"
    assert answer.answer.count("[1]") == 2


def test_a_claim_that_cites_only_an_unknown_id_goes() -> None:
    answer = ask(f"{GUIDE} [invented#3].", "withdrawal-rate")
    assert (answer.answer, answer.status, reasons(answer)) == ("", "unknown", ["unknown_source"])


def test_unknown_ids_never_reach_the_caller() -> None:
    answer = ask(f"{GUIDE} [1, invented#3].", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1]."
    assert [citation.passage_id for citation in answer.citations] == ["withdrawal-rate#0"]


def test_a_citation_of_the_wrong_passage_goes() -> None:
    answer = ask("Bonds swing less than shares [1].", "student-loans", "bonds")
    assert answer.answer == ""


def test_a_passage_that_proves_nothing_is_not_cited() -> None:
    answer = ask("Bonds swing less than shares [1][2].", "bonds", "student-loans")
    assert [citation.document_id for citation in answer.citations] == ["bonds"]


def test_each_clause_is_proven_by_its_own_citation() -> None:
    answer = ask(
        "The 401(k) limit is $23,500 in 2025 [1] and was $23,000 in 2024 [2].",
        "limits-2025",
        "limits-2024",
    )
    assert answer.answer == "The 401(k) limit is $23,500 in 2025 [1] and was $23,000 in 2024 [2]."
    assert [one.document_id for one in answer.citations] == ["limits-2025", "limits-2024"]


def test_a_marker_may_be_the_subject_of_a_sentence() -> None:
    answer = ask(
        "Withdraw 4 % in the first year [1]. [2] adds that bonds swing less than shares.",
        "withdrawal-rate",
        "bonds",
    )
    assert answer.answer == (
        "Withdraw 4 % in the first year [1]. [2] adds that bonds swing less than shares."
    )
    assert [one.document_id for one in answer.citations] == ["withdrawal-rate", "bonds"]
    [span] = answer.citations[1].spans
    assert answer.answer[span.start : span.end].startswith("[2] adds")


def test_markers_are_numbered_by_first_use() -> None:
    answer = ask(
        "Bonds swing less than shares [2]. Withdraw 4 % in the first year [1].",
        "withdrawal-rate",
        "bonds",
    )
    assert answer.answer.startswith("Bonds swing less than shares [1].")
    assert [one.document_id for one in answer.citations] == ["bonds", "withdrawal-rate"]


@pytest.mark.parametrize(
    "claim",
    [
        "Stocks returned 7 % and bonds 4 %",
        "Bonds returned 4 %",
        "Stocks returned 7 %",
        "7 % for stocks and 4 % for bonds",
        "Stocks and bonds returned 7 % and 4 % respectively",
    ],
)
def test_swapped_labels_go(claim: str) -> None:
    passage = Passage("r#0", "r", "In 2020 stocks returned 4 % and bonds 7 %.")
    assert not check(f"{claim} [1].", [passage], question="Returns?").answer


@pytest.mark.parametrize(
    "claim",
    [
        "Stocks returned 4 % and bonds 7 %",
        "Bonds returned 7 % and stocks 4 %",
        "Bonds returned 7 %",
        "In 2020, stocks returned 4 %",
        "4 % for stocks and 7 % for bonds",
        "Stocks and bonds returned 4 % and 7 % respectively",
    ],
)
def test_labels_in_another_order_stand(claim: str) -> None:
    passage = Passage("r#0", "r", "In 2020 stocks returned 4 % and bonds 7 %.")
    assert check(f"{claim} [1].", [passage], question="Returns?").status == "answered"


@pytest.mark.parametrize(
    "claim",
    [
        "Total revenue was $1,100 million in 2023",
        "Gross profit was $1,250 million in 2023",
        "Total revenue was $1,250 in 2023",
        "Total revenue was \u20ac1,250 million in 2023",
        "Net income was $12 million in 2022",
        "Revenue grew 13.6 percentage points in 2023",
        "| | 2022 |\n|---|---|\n| Total revenue | $1,250 million",
    ],
)
def test_table_figures_under_another_label_or_scale_go(claim: str) -> None:
    assert not ask(f"{claim} [1]", "acme-2023").answer


@pytest.mark.parametrize(
    "claim",
    [
        "Total revenue was $1,250 million in 2023",
        "Total revenue was $1.25 billion in 2023",
        "Acme made a net loss of $12 million in 2022",
        "The gross margin was 44 % in 2023",
        "Earnings per share were $1.92 in 2023",
        "| (in millions) | 2023 |\n|---|---|\n| Total revenue | $1,250",
    ],
)
def test_table_figures_with_their_label_and_scale_stand(claim: str) -> None:
    assert ask(f"{claim} [1]", "acme-2023").status == "answered"


@pytest.mark.parametrize(
    "claim",
    [
        "Bonds do not swing less than shares",
        "Shares swing less than bonds",
        "Bonds swing more than shares",
        "Bonds gain value when rates rise",
        "When rates rise, existing bonds with lower coupons do not lose value",
    ],
)
def test_a_meaning_turned_round_goes(claim: str) -> None:
    assert not ask(f"{claim} [1].", "bonds").answer


@pytest.mark.parametrize("claim", ["Restaurants count as essential expenses", "Holidays do count"])
def test_a_dropped_negation_goes(claim: str) -> None:
    assert not ask(f"{claim} [1].", "emergency-fund").answer


def test_a_dropped_condition_goes() -> None:
    passage = Passage(
        "t#0", "t", "Withdrawals are free of tax unless the account is under five years old."
    )
    assert not check("Withdrawals are free of tax [1].", [passage], question="Tax?").answer
    kept = check(
        "Withdrawals are free of tax unless the account is younger than five years [1].",
        [passage],
        question="Tax?",
    )
    assert kept.status == "answered"


def test_a_removed_limit_takes_its_paragraph_along() -> None:
    answer = ask(
        f"Bonds swing less than shares [2].\n\n{GUIDE} [1]. However, only 12 % is safe [1].",
        "withdrawal-rate",
        "bonds",
    )
    assert answer.answer == "Bonds swing less than shares [1]."


def test_a_sentence_that_speaks_of_a_removed_one_goes_too() -> None:
    answer = ask(
        "You may withdraw 12 % [1]. It is adjusted for inflation [1].\n\n" + f"{GUIDE} [1].",
        "withdrawal-rate",
    )
    assert answer.answer == f"{GUIDE} [1]."
    assert len(answer.removed) == 2


def test_ordered_items_are_numbered_anew() -> None:
    answer = ask(
        "Here are the steps:\n\n1. Withdraw 4 % in the first year [1].\n2. Withdraw 12 % [1].\n"
        "3. Adjust the amount for inflation [1].",
        "withdrawal-rate",
    )
    assert answer.answer == (
        "Here are the steps:\n\n1. Withdraw 4 % in the first year [1].\n"
        "2. Adjust the amount for inflation [1]."
    )


def test_a_lead_in_goes_with_its_items() -> None:
    answer = ask(f"Here are the steps:\n\n- Withdraw 12 % [1].\n\n{GUIDE} [1].", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1]."


def test_a_lead_ins_citation_covers_its_items() -> None:
    answer = ask(
        "Essential expenses are [1]:\n\n- rent or mortgage\n- food and utilities", "emergency-fund"
    )
    assert answer.status == "answered"


def test_a_count_is_held_to_the_items_that_are_left() -> None:
    items = "- Withdraw 4 % in the first year [1].\n- {} [1].\n"
    good = ask(
        "There are two steps:\n\n" + items.format("Adjust the amount for inflation"),
        "withdrawal-rate",
    )
    assert good.answer.startswith("There are two steps:")
    bad = ask("There are two steps:\n\n" + items.format("Withdraw 12 %"), "withdrawal-rate")
    assert "two" not in bad.answer
    assert "4 %" in bad.answer


def test_a_table_keeps_its_header_while_a_row_stands() -> None:
    head = "| Fund | Expense ratio |\n|---|---|\n"
    row = "| Balanced Fund | {} [1] |"
    kept = ask(
        head + row.format("0.35%") + "\n| Global Equity Fund | 0.99% [1] |", "fund-comparison"
    )
    assert kept.answer == head + row.format("0.35%")
    assert not ask(head + row.format("0.99%"), "fund-comparison").answer


def test_a_heading_goes_with_its_section() -> None:
    answer = ask(f"## Risky\n\nWithdraw 12 % [1].\n\n## Usual\n\n{GUIDE} [1].", "withdrawal-rate")
    assert answer.answer == f"## Usual\n\n{GUIDE} [1]."


@pytest.mark.parametrize(
    "structure",
    [
        "Which account do you mean?",
        "This is general information, not individual financial advice.",
        "The documents do not say how fees are charged.",
    ],
)
def test_structure_needs_no_source(structure: str) -> None:
    answer = ask(f"{GUIDE} [1].\n\n{structure}", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1].\n\n{structure}"
    assert answer.status == "answered"


@pytest.mark.parametrize(
    "claim",
    [
        "The documents do not say it, but 12 % is safe.",
        "The documents do not say so, but you should buy annuities.",
        "Did you know that 12 % is safe?",
        "You should buy annuities:",
        "This is individual financial advice.",
        "The documents do not recommend annuities.",
    ],
)
def test_a_claim_in_the_dress_of_structure_goes(claim: str) -> None:
    answer = ask(f"{GUIDE} [1].\n\n{claim}", "withdrawal-rate")
    assert answer.answer == f"{GUIDE} [1]."


@pytest.mark.parametrize(
    "completion",
    [
        "I don't know.",
        "I don't know: the passages do not mention crypto.",
        "I can't answer that.",
        "The passages do not recommend any specific bank.",
    ],
)
def test_a_model_that_does_not_know_says_so(completion: str) -> None:
    answer = ask(completion, "bonds")
    assert (answer.answer, answer.status, answer.citations) == (completion, "unknown", ())


def test_nothing_left_is_unknown() -> None:
    answer = ask("You may withdraw 12 % [1].", "withdrawal-rate")
    assert (answer.answer, answer.status) == ("", "unknown")


@pytest.mark.parametrize("tail", ["After that, adj", "The rate is 4.", "- Keep two"])
def test_an_unfinished_unit_of_a_cut_answer_goes(tail: str) -> None:
    answer = ask(f"{GUIDE} [1].\n\n{tail}", "withdrawal-rate", stop_reason="max_tokens")
    assert (answer.answer, answer.status) == (f"{GUIDE} [1].", "incomplete")


@pytest.mark.parametrize(
    "stop_reason", ["max_tokens", "content_filtered", "guardrail_intervened", "tool_use", "other"]
)
def test_a_cut_answer_never_looks_whole(stop_reason: str) -> None:
    answer = ask(f"{GUIDE} [1].", "withdrawal-rate", stop_reason=stop_reason)
    assert answer.status == "incomplete"


@pytest.mark.parametrize("repeated", [". ", "not ", "2 \u00d7 3 = 6, ", "- 1 [1]\n"])
def test_a_completion_that_repeats_itself_without_end_is_bounded(
    repeated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven: list[Unit] = []
    prove = Prover.prove

    def counted(self: Prover, unit: Unit) -> Proof | Reason:
        proven.append(unit)
        return prove(self, unit)

    monkeypatch.setattr(Prover, "prove", counted)
    answer = ask(f"{GUIDE} [1].\n\n{repeated * 4_000}", "withdrawal-rate")
    assert answer.answer.startswith(f"{GUIDE} [1].")
    assert answer.status != "answered"
    assert len(proven) <= MAX_UNITS
    assert all(one.end - one.start <= MAX_UNIT_CHARACTERS for one in proven)


@pytest.mark.parametrize(("units", "status"), [(0, "answered"), (1, "incomplete")])
def test_an_answer_of_more_units_than_the_bound_is_incomplete(units: int, status: str) -> None:
    items = f"- {GUIDE} [1].\n" * (MAX_UNITS + units)
    assert ask(items, "withdrawal-rate").status == status


def test_citations_of_bedrock_pass_the_same_checks() -> None:
    answer = ask(
        [
            Segment(GUIDE + ".", ("withdrawal-rate#0",)),
            Segment(" You may withdraw 12 %.", ("withdrawal-rate#0", "elsewhere#9")),
        ],
        "withdrawal-rate",
    )
    assert answer.answer == f"{GUIDE} [1]."
    assert reasons(answer) == ["number_not_in_source"]


def test_abbreviations_decimals_and_identifiers_do_not_end_a_sentence() -> None:
    passage = Passage(
        "a#0",
        "a",
        "U.S. investors, e.g. those of Acme Inc. in the 401(k), paid 0.5 per cent in fees.",
    )
    completion = "U.S. investors, e.g. those of Acme Inc. in the 401(k), paid 0.5 % in fees [1]."
    assert check(completion, [passage], question="Fees?").answer == completion


def test_the_marker_of_a_document_is_no_citation() -> None:
    passage = Passage("a#0", "a", "Inflation averaged 3 per cent [2] over the decade.")
    other = Passage("b#0", "b", "Bonds are loans.")
    answer = check("Inflation averaged 3 % over the decade [1].", [passage, other], question="?")
    assert answer.status == "answered"
    copied = check(
        "Inflation averaged 3 per cent [2] over the decade.", [passage, other], question="?"
    )
    assert not copied.answer


def test_no_passage_means_no_claim() -> None:
    assert check("Bonds are loans [1].", [], question="?").status == "unknown"


def test_an_empty_completion_is_unknown() -> None:
    assert check("  \n", passages("bonds"), question="?").status == "unknown"
