"""Claims that have a source's words in another relation are removed."""

import pytest

from chat.answers.check import check
from chat.answers.passages import Passage


def _stands(source: str, claim: str, title: str | None = None) -> bool:
    passage = Passage(passage_id="a#0", document_id="a", text=source, title=title)
    answer = check(f"{claim} [a#0].", [passage], question="What do the documents say?")
    return not answer.removed and answer.status == "answered"


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        (
            "Green loans run for ten years. Blue loans are repaid each month by the borrower.",
            "Blue loans are repaid each month by the borrower",
            "Green loans are repaid each month by the borrower",
        ),
        (
            "Junior notes pay 9 per cent. Senior notes are secured by buildings. They mature in "
            "2031 and cannot be called.",
            "Senior notes mature in 2031",
            "Junior notes mature in 2031",
        ),
        (
            "The plan moves money from cash to shares over a decade.",
            "The plan moves money from cash to shares",
            "The plan moves money from shares to cash",
        ),
        (
            "The bank pays the adviser, then the lawyer and the notary.",
            "The bank pays the adviser, then the lawyer",
            "The bank pays the lawyer, then the adviser",
        ),
        (
            "A transfer is free in the first 30 days.",
            "A transfer is free within the first 30 days",
            "A transfer is free after the first 30 days",
        ),
        (
            "Trading may begin after a review of 20 days.",
            "There is a review of 20 days before trading may begin",
            "Trading may end after a review of 20 days",
        ),
        (
            "A client receives $1,500 at 60 and $2,700 at 68.",
            "A client receives $1,500 at 60 and $2,700 at 68",
            "A client receives $1,500 at 68",
        ),
        (
            "Losses offset profits of the same year without limit.",
            "Losses offset profits of the same year without limit",
            "Losses do not offset profits of the same year",
        ),
        (
            "Deposits are insured by the state.",
            "Deposits are insured by the state",
            "Deposits are insured by the state only if they are small",
        ),
        (
            "In 2025 one may give 19,000 dollars; in 2024 the exclusion was 18,000 dollars.",
            "The exclusion was 18,000 dollars in 2024",
            "The exclusion is 18,000 dollars in 2025",
        ),
        (
            "The cover lasts from 1 million to 5 million dollars.",
            "The cover lasts up to 5 million dollars",
            "The cover lasts up to 1 million dollars",
        ),
        (
            "The fund loses six per cent when rates rise.",
            "The fund loses about six per cent when rates rise",
            "The fund loses about ten per cent when rates rise",
        ),
        (
            "The budget divides income after tax into three parts.",
            "The budget divides after-tax income into three parts",
            "The budget divides pre-tax income into three parts",
        ),
        (
            "Illnesses treated in the 12 months before the start of coverage are excluded.",
            "Illnesses treated in the 12 months before coverage starts are excluded",
            "Illnesses treated in the 12 months after coverage starts are excluded",
        ),
        (
            "From 2025, out-of-pocket spending for drugs is capped at $2,000 a year.",
            "Out-of-pocket drug spending is limited to $2,000 a year",
            "Out-of-pocket drug spending is limited to $2,000 a month",
        ),
        (
            "A will names heirs. Without one, state law divides the property.",
            "Without one, state law divides the property",
            "Without one, the heirs divide the property",
        ),
    ],
)
def test_words_in_another_relation_prove_nothing(source: str, true: str, false: str) -> None:
    assert _stands(source, true)
    assert not _stands(source, false)


@pytest.mark.parametrize(
    ("claim", "stands"),
    [
        ("The old loan has the lower rate, 5.5 % versus 6.5 % for the new loan", True),
        ("The old loan has the higher rate, 5.5 % versus 6.5 % for the new loan", False),
        ("The old loan has the lower rate, 6.5 % versus 5.5 % for the new loan", False),
    ],
)
def test_a_comparison_of_two_rows_is_right_or_goes(claim: str, stands: bool) -> None:
    table = "| Loan | Rate |\n|---|---|\n| Old loan | 5.5 % |\n| New loan | 6.5 % |"
    assert _stands(table, claim) is stands


@pytest.mark.parametrize(
    ("claim", "stands"),
    [("The margin can't exceed 3 %", True), ("The margin exceeds 3 %", False)],
)
def test_what_cannot_be_exceeded_is_a_maximum(claim: str, stands: bool) -> None:
    assert _stands("The margin is at most 3 per cent.", claim) is stands


def test_a_split_is_no_date_and_a_tax_year_is_one() -> None:
    assert _stands("The 50/30/20 budget divides income.", "The 50/30/20 budget divides income")
    source = "The allowance is 20,000 dollars for the tax year 2025/26."
    assert _stands(source, "The allowance is 20,000 dollars in 2025/26")
    assert not _stands(source, "The allowance is 20,000 dollars in 2024/25")


def test_a_difference_is_written_with_a_minus_that_is_no_sign() -> None:
    source = "The limit is 8,300 dollars for a family and 4,150 dollars for one person."
    assert _stands(source, "The limit differs by $8,300 \u2212 $4,150 = $4,150 for a family")


def test_each_sentence_of_an_item_is_proven_by_itself() -> None:
    text = "The dwelling is covered for $412,000. The standard deductible is $1,500."
    passage = Passage("a#0", "a", text)
    item = "- The dwelling is covered for $1,500. The standard deductible is $1,500 [a#0]."
    assert not check(item, [passage], question="What is covered?").answer


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        (
            "A direct transfer keeps the savings free of tax. A cheque sent by post takes weeks.",
            "A direct transfer keeps the savings free of tax",
            "A cheque keeps the savings free of tax",
        ),
        (
            "Landlords set aside money for repairs of the roof. Tenants insure their furniture.",
            "Landlords set aside money for repairs of the roof",
            "Tenants set aside money for repairs of the roof",
        ),
        (
            "The executor pays the debts of the estate first. The heirs receive the rest.",
            "The executor pays the debts of the estate first",
            "The heirs pay the debts of the estate first",
        ),
        (
            "Gold has kept its purchasing power over centuries. Silver is used by industry.",
            "Gold has kept its purchasing power over centuries",
            "Silver has kept its purchasing power over centuries",
        ),
    ],
)
def test_another_subject_of_the_passage_does_not_fit(source: str, true: str, false: str) -> None:
    assert _stands(source, true)
    assert not _stands(source, false)


def test_a_figure_of_the_condition_is_not_that_of_the_result() -> None:
    source = "A client entitled to $900 a month at 66 would receive $700 at 61 and $1,300 at 69."
    start = "A client entitled to $900 a month at 66 would receive"
    assert _stands(source, f"{start} $1,300 at 69")
    assert not _stands(source, f"{start} $900 at 69")


@pytest.mark.parametrize(
    ("source", "true", "false"),
    [
        (
            "The reserve belongs in an instant account rather than in shares.",
            "The reserve belongs in an instant account rather than in shares",
            "The reserve belongs in shares rather than in an instant account",
        ),
        (
            "The gap between both prices widens when markets are nervous.",
            "The gap widens when markets are nervous",
            "The gap narrows when markets are nervous",
        ),
    ],
)
def test_a_choice_and_a_direction_are_those_of_the_source(
    source: str, true: str, false: str
) -> None:
    assert _stands(source, true)
    assert not _stands(source, false)


def test_a_change_begins_with_the_earlier_column() -> None:
    table = "| In million euros | 2025 | 2024 |\n|---|---|---|\n| Profit | 96 | 103 |"
    assert _stands(table, "The profit fell from 103 to 96 million euros")
    assert not _stands(table, "The profit rose from 96 to 103 million euros")


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        (
            "It suits those who own land in several states; a trust that is never funded fails.",
            "The trust suits those who own land in several states",
        ),
        (
            "Machines: no fee at our own; 5 dollars at machines abroad.",
            "Machines abroad cost a fee of 5 dollars",
        ),
        (
            "The fund of the United States pays 3 per cent.",
            "The fund pays 3 per cent",
        ),
    ],
)
def test_a_denial_elsewhere_in_the_sentence_denies_nothing(source: str, claim: str) -> None:
    assert _stands(source, claim)


def test_two_neighbouring_sentences_prove_a_claim_together() -> None:
    source = (
        "Then comes usage, the share of the credit that is used. Below thirty per cent is good and "
        "below ten per cent is better. The age of the credit makes up the rest."
    )
    claim = "Usage is the share of credit that is used; below 30% is good and below 10% is better"
    assert _stands(source, claim)
    assert not _stands(source, claim.replace("Usage", "Age"))


def test_a_shortened_clause_and_a_title_have_the_date_of_their_text() -> None:
    returns = "Shares returned 17.1% in 2024 and bonds 1.3%."
    table = "| Class | Return in 2024 |\n|---|---|\n| {} | 1.3% [a#0] |"
    passage = Passage("a#0", "a", returns)
    question = "What do the documents say?"
    assert check(table.format("Bonds"), [passage], question=question).status == "answered"
    assert not check(table.format("Shares"), [passage], question=question).answer
    plans = "The IRA limit for 2024 is $7,000. The simple plan limit is $16,000."
    table = "| Plan | 2024 |\n|---|---|\n| Simple plan | {} [a#0] |"
    passage = Passage("a#0", "a", plans, title="Limits for 2024")
    assert check(table.format("$16,000"), [passage], question=question).status == "answered"
    assert not check(table.format("$7,000"), [passage], question=question).answer
