"""Answers by extraction."""

import pytest

from chat.answers.check import check
from chat.answers.passages import Passage as Source
from local.bedrock.extraction import (
    UNKNOWN,
    Passage,
    earlier_question,
    extract_answer,
    read_prompt,
)
from local.demo.documents import QUESTION, documents

FUND = Passage(
    "fund#0",
    "Emergency fund",
    "An emergency fund is for surprises. A common size is three to six months of expenses for "
    "an emergency fund. Weather is not part of it.",
)
DEBT = Passage("debt#1", "Debt", "Pay off credit card debt before you invest. Cards are plastic.")


def test_the_prompt_is_read_with_its_entities_undone() -> None:
    prompt = (
        '<passage id="a#0" document="a" title="Q &amp; &quot;A&quot;">One &lt; two.</passage>\n'
        '<passage id="b#0" document="b" title="B">Three.</passage>\n'
        "<question>Is one &lt; two?</question>"
    )
    passages, question = read_prompt(prompt)
    assert passages == [Passage("a#0", 'Q & "A"', "One < two."), Passage("b#0", "B", "Three.")]
    assert question == "Is one < two?"


def test_each_sentence_is_followed_by_its_citation() -> None:
    question = "How large should an emergency fund be, and do I pay off credit card debt first?"
    answer = extract_answer([FUND, DEBT], question)
    assert "three to six months of expenses for an emergency fund. [fund#0]" in answer
    assert "Pay off credit card debt before you invest. [debt#1]" in answer
    assert "Weather" not in answer


def test_a_question_of_quantity_is_answered_with_a_number() -> None:
    talk = (
        "An emergency fund is good. An emergency fund is dull. Everybody likes an emergency fund."
    )
    passage = Passage("p", "Emergency fund", f"{talk} It holds six months for an emergency fund.")
    assert "six months" in extract_answer([passage], "How large should an emergency fund be?")


def test_without_a_fitting_passage_it_does_not_know() -> None:
    assert extract_answer([FUND, DEBT], "What is the capital of France?") == UNKNOWN
    assert extract_answer([], "How large should an emergency fund be?") == UNKNOWN
    assert UNKNOWN.lower().startswith("i don't know")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("What is inflation?", "Inflation is the rise of the general level of prices. [inflation]"),
        ("What's an index fund?", "An index fund buys all the securities of a market index"),
        ("what does diversification mean", "Diversification means holding many different assets"),
        ("Define compound interest", "Compound interest is interest on interest."),
    ],
)
def test_a_question_for_a_meaning_is_answered_with_the_definition(
    question: str, sentence: str
) -> None:
    passages = [Passage(item["id"], item["title"], item["text"]) for item in documents()]
    assert extract_answer(passages, question).startswith(sentence)


def test_a_question_for_a_meaning_gets_only_the_definition() -> None:
    passages = [Passage(item["id"], item["title"], item["text"]) for item in documents()]
    answer = extract_answer(passages, "What is inflation?")
    assert answer == "Inflation is the rise of the general level of prices. [inflation]"


def test_question_words_need_not_be_in_the_passage() -> None:
    passages = [Passage(item["id"], item["title"], item["text"]) for item in documents()]
    answer = extract_answer(passages, "How do bonds work?")
    assert "A bond is a loan to a government or a company. [bonds]" in answer


@pytest.mark.parametrize("question", ["What is photosynthesis?", "What does gold mean?", "Hello"])
def test_a_word_that_no_passage_has_is_not_answered(question: str) -> None:
    assert extract_answer([FUND, DEBT], question) == UNKNOWN


def test_the_demonstrations_question_draws_on_two_documents() -> None:
    wanted = {"emergency-fund", "credit-card-debt", "debt-avalanche-snowball"}
    passages = [
        Passage(f"{item['id']}#0", item["title"], item["text"])
        for item in documents()
        if item["id"] in wanted
    ]
    answer = extract_answer(passages, QUESTION)
    cited = {passage.passage_id for passage in passages if passage.passage_id in answer}
    assert len(cited) >= 2


def test_a_follow_up_is_answered_with_the_question_before_it() -> None:
    prompt = (
        '<passage id="savings#0" title="Savings">The money in a savings account is insured. '
        "Interest is paid monthly.</passage><earlier><asked>What is a savings account?</asked>"
        "</earlier><question>Is the money in it insured today?</question>"
    )
    passages, question = read_prompt(prompt)
    earlier = earlier_question(prompt)
    assert earlier == "What is a savings account?"
    answer = extract_answer(passages, question, earlier)
    assert answer == "The money in a savings account is insured. [savings#0]"


def test_a_new_topic_is_not_answered_from_the_question_before_it() -> None:
    passages = [Passage("savings#0", "Savings", "The money in a savings account is insured.")]
    earlier = "Is the money in a savings account insured?"
    assert extract_answer(passages, "Who won the match?", earlier) == UNKNOWN


SAVINGS = """# Savings accounts

| Account | Annual rate | Minimum balance |
| --- | ---: | --- |
| Blue Harbour Saver | 4.10 % | $500 |
| Harbour Plus \\| Gold | 4.35 % | |

Rates change on the first
of each month. The notice depends on the sum:

- 30 days of notice
- 60 days of notice for
  large sums

The fee for closing is waived.
* There is no fee for a card.
Year: 2024 | Fee: 1 %"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "What is the annual rate of the Blue Harbour Saver?",
            "Account: Blue Harbour Saver; Annual rate: 4.10 %; Minimum balance: $500. [s#0]",
        ),
        (
            "What is the annual rate of Harbour Plus Gold?",
            "Account: Harbour Plus | Gold; Annual rate: 4.35 %. [s#0]",
        ),
        ("When do rates change in a month?", "Rates change on the first of each month. [s#0]"),
        (
            "How many days of notice for large sums?",
            "The notice depends on the sum: 30 days of notice [s#0] "
            "The notice depends on the sum: 60 days of notice for large sums [s#0]",
        ),
        ("What is the fee for closing?", "The fee for closing is waived. [s#0]"),
        ("What is the fee for a card?", "There is no fee for a card. [s#0]"),
        ("What was the fee in the year 2024?", "Year: 2024; Fee: 1 %. [s#0]"),
    ],
)
def test_a_row_and_an_item_are_sentences_of_their_own(question: str, answer: str) -> None:
    sentences = extract_answer([Passage("s#0", "Savings accounts", SAVINGS)], question)
    assert answer in sentences
    assert "---" not in sentences
    assert "# Savings" not in sentences


def test_the_checker_keeps_what_is_extracted_from_tables_and_lists() -> None:
    question = "What annual rate, minimum balance, notice and fee do the accounts have?"
    passage = Passage("s#0", "Savings accounts", SAVINGS)
    source = Source("s#0", "s", SAVINGS, title="Savings accounts")
    checked = check(extract_answer([passage], question), [source], question=question)
    assert "4.10 %" in checked.answer
    assert not checked.removed
