"""Claims that repeat a source sentence nearly word for word, but replace a decisive word."""

import pytest

from chat.answers.check import check
from chat.answers.passages import Passage

METHODS = (
    "The debt avalanche sends the extra money to the debt with the highest interest rate. It costs "
    "the least interest and is finished soonest. The debt snowball sends the extra money to the "
    "smallest balance."
)
ACCOUNT = "Unlike a flexible spending account, an HSA goes with its owner to a new job."
SPENDING = "The average household spent $77,280 in 2023, 5.9% more than in 2022."
OFFICES = "The occupancy rate was 95.8% (30 June 2024: 95.1%)."
MARGIN = "Operating margin improved from 12.2% to 14.2%."
FEES = "Accounts closed within 36 months are charged $450."
ORDER = "After the fund has been used, refilling it comes before new investing."
INTEREST = "Over long periods its interest has barely kept up with inflation."
BILLS = "Treasury bills are sold at a discount and pay their face value at maturity."
QUARTERS = (
    "The first-quarter dividend of $0.41 per share is paid on 5 March 2025. The second-quarter "
    "dividend of $0.43 per share is paid on 4 June 2025."
)
LOANS = "\n".join(
    (
        "| Product | Rate | APR | Monthly payment |",
        "| --- | --- | --- | --- |",
        "| 7/6 ARM | 6.125% | 6.84% | $2,430 |",
    )
)
HEADER = "| Product | Rate | APR | Monthly payment |\n| --- | --- | --- | --- |\n"


def _stands(source: str, claim: str) -> bool:
    passage = Passage(passage_id="a#0", document_id="a", text=source)
    answer = check(claim, [passage], question="What do the documents say?")
    return not answer.removed and answer.status == "answered"


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        (
            METHODS,
            "The debt avalanche sends the extra money to the debt with the highest interest rate",
            "The debt snowball sends the extra money to the debt with the highest interest rate",
        ),
        (
            METHODS,
            "The debt avalanche is finished soonest",
            "The debt snowball is finished soonest",
        ),
        (
            ACCOUNT,
            "An HSA goes with its owner to a new job",
            "A flexible spending account goes with its owner to a new job",
        ),
        (
            SPENDING,
            "The average household spent $77,280 in 2023",
            "The average household spent $77,280 in 2022",
        ),
        (
            OFFICES,
            "The occupancy rate was 95.8%",
            "The occupancy rate was 95.8% on 30 June 2024",
        ),
        (MARGIN, "Operating margin improved to 14.2%", "Operating margin improved to 12.2%"),
        (
            FEES,
            "Accounts closed within 36 months are charged $450",
            "Accounts closed after 36 months are charged $450",
        ),
        (
            ORDER,
            "After the fund has been used, refilling it comes before new investing",
            "After the fund has been used, new investing comes before refilling it",
        ),
        (
            INTEREST,
            "Over long periods its interest has barely kept up with inflation",
            "Over long periods its interest has been far ahead of inflation",
        ),
        (BILLS, "Treasury bills are sold at a discount", "Treasury bills are sold at a premium"),
        (
            QUARTERS,
            "The second-quarter dividend is $0.43 per share",
            "The first-quarter dividend is $0.43 per share",
        ),
    ],
)
def test_an_exchanged_word_removes_what_the_source_word_proves(
    source: str, true: str, false: str
) -> None:
    assert _stands(source, f"{true} [a#0].")
    assert not _stands(source, f"{false} [a#0].")


def test_a_figure_under_another_column_is_removed() -> None:
    true = f"{HEADER}| 7/6 ARM | 6.125% | 6.84% | $2,430 [a#0] |"
    false = f"{HEADER}| 7/6 ARM | 6.125% | $2,430 | 6.84% [a#0] |"
    assert _stands(LOANS, true)
    assert not _stands(LOANS, false)


def test_the_sign_of_a_footnote_never_reaches_the_caller_alone() -> None:
    passage = Passage(passage_id="a#0", document_id="a", text=FEES)
    answer = check(
        "Dividends double each year \u2020.\n\n\u2020 a#0", [passage], question="What is paid?"
    )
    assert "\u2020" not in answer.answer


@pytest.mark.parametrize(
    ("claim", "stands"),
    [("Costs of $6,000 are usual", True), ("Costs of \u20ac6,000 are usual", False)],
)
def test_dollars_stand_on_an_amount_whose_currency_no_passage_names(
    claim: str, stands: bool
) -> None:
    assert _stands("Costs of 6,000 are usual for a loan.", f"{claim} [a#0].") is stands


def test_dollars_do_not_stand_on_a_count_or_beside_a_named_currency() -> None:
    assert not _stands("Holders of 6,000 shares vote.", "Holders of $6,000 vote [a#0].")
    assert not _stands("Fees are \u20ac12 and costs 6,000.", "Costs are $6,000 [a#0].")


def test_the_citation_of_a_heading_covers_the_rows_below() -> None:
    table = f"**Loans** [a#0]\n\n{HEADER}| 7/6 ARM | 6.125% | 6.84% | $2,430 |"
    assert _stands(LOANS, table)
