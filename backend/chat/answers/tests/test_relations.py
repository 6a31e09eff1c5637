"""What proves nothing because it repeats a source's words in another relation."""

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
