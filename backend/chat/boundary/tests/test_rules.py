"""Rules match whole words near each other, and are cancelled within the same sentence only."""

import time

import pytest

from chat.boundary.policy import Policy, built_in_policy
from chat.boundary.rules import Rules, plain
from chat.boundary.tests.policies import MINIMAL

RULES = Rules(built_in_policy())


def rules(**rule: object) -> Rules:
    question = {"id": "gems", "category": "recommendation", **rule}
    return Rules(Policy.model_validate(MINIMAL | {"questions": [question]}))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("I don\u2019t  KNOW\n(why)", "i dont know why"),
        ("pay-off at 4.5 % of $1,000?", "pay off at 4,5 % of $1,000?"),
        ("*Buy* _it_!", "buy it !"),
    ],
)
def test_texts_are_compared_in_one_form(text: str, same: str) -> None:
    assert plain(text) == same


@pytest.mark.parametrize(
    ("question", "matches"),
    [
        ("Do I buy a ruby?", True),
        ("Do I buy opal?", True),
        ("Do I rebuy opals?", False),
        ("Do I buy an opal?", False),
    ],
)
def test_word_lists_stand_for_whole_words(question: str, matches: bool) -> None:
    assert (rules(any=["buy (?:a )?{gem}"]).judge(question).rule == "gems") is matches


@pytest.mark.parametrize(
    ("question", "matches"),
    [
        ("Ask the bank about a loan", True),
        ("Ask. A bank gives a loan", False),
        ("Ask " + "x " * 31 + "loan", False),
    ],
)
def test_a_gap_stays_within_a_sentence_and_is_short(question: str, matches: bool) -> None:
    assert (rules(any=["ask...loan"]).judge(question).rule == "gems") is matches


def test_a_match_is_cancelled_in_its_own_sentence_only() -> None:
    judged = rules(any=["buy"], unless=["in theory"])
    assert judged.judge("What do I buy in theory?").rule is None
    assert judged.judge("In theory, what? And what do I buy?").rule == "gems"


def test_words_are_weighed_where_no_pattern_matches() -> None:
    weights = {"start": {"distress": -50}, "phrases": {"cry": [90]}}
    judged = Rules(Policy.model_validate(MINIMAL | {"weights": weights}))
    assert judged.judge("I cried.") == ("information", None)
    assert judged.judge("I was crying.") == ("distress", "distress-wording")
    assert judged.judge("Crying, do I buy a ruby?") == ("recommendation", "gems")


@pytest.mark.parametrize(
    "sentence",
    [
        "You should buy Nvidia shares.",
        "You should definitely sell your house.",
        "I recommend selling the fund.",
        "I'd go with the Roth IRA.",
        "Your best option is to refinance.",
        "In your situation, the best choice is to rent.",
        "You would be better off renting.",
        "If I were you, I would wait.",
        "This fund is right for you.",
        "Sell your shares now and pay the loan.",
        "My advice is to hold the stock.",
    ],
)
def test_a_personal_recommendation_in_an_answer_is_seen(sentence: str) -> None:
    assert RULES.recommends(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "You must file by April 15.",
        "Experts say an emergency fund should cover 3 to 6 months.",
        "Save 10 percent of your income first.",
        "If your employer matches contributions, you should contribute enough to get the match.",
        "You should keep receipts for seven years.",
        "You have to pay tax on gains when you sell your house.",
        "Planners recommend that you invest in low-cost funds.",
        "I recommend that you speak to a licensed adviser.",
        "I cannot recommend what you should do.",
        "Which of them is right for you depends on your tax rate.",
        "Please consult a financial adviser before you buy a fund.",
        "The best option for most savers is to start early.",
        "A borrower should refinance only if the costs are recovered.",
        "The company recommends a dividend of $2.",
    ],
)
def test_a_general_statement_is_no_recommendation(sentence: str) -> None:
    assert not RULES.recommends(sentence)


def test_a_long_question_costs_little() -> None:
    RULES.judge("warm up")
    began = time.process_time()
    found = RULES.judge("i my me we someone he she they what is it " * 220).rule
    assert found not in {one.id for one in built_in_policy().questions}
    # It takes about 0.1 s; a pattern whose cost is quadratic takes minutes.
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("question", "category"),
    [
        ("And where should I keep it?", "information"),
        ("Where should I find the form?", "information"),
        ("And where should I send it?", "information"),
        ("Where should I keep my savings?", "recommendation"),
        ("Where should I put my money?", "recommendation"),
    ],
)
def test_where_to_find_or_keep_something_is_information(question: str, category: str) -> None:
    assert RULES.judge(question).category == category
