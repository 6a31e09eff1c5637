"""A prompt without one of its properties is seen."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chat.answers.passages import Passage
from evaluation.prompts import PROPERTIES, properties
from evaluation.question import Question
from evaluation.tests.examples import asked, passage, question

FUND = passage("fund", 'It costs < 1 % & "more" [1].', title='"A" fund', as_of="2025-12-31")
METADATA = {"fund": {"as_of": "2025-12-31"}}


def wrong(one: Question, *found: Passage, content: str | None = None, system: str = "") -> set[str]:
    """Return the properties that a prompt lacks."""
    today = datetime.now(UTC).date().isoformat()
    given = asked(one, *found, content=content, system=system or f"Today is {today}.")
    assert given.prompt is not None
    result = properties(given, given.prompt, METADATA)
    assert tuple(result) == PROPERTIES
    return {name for name, right in result.items() if not right}


def written(one: Question, *found: Passage) -> str:
    """Return the prompt that chat writes."""
    prompt = asked(one, *found).prompt
    assert prompt is not None
    return prompt.content


@pytest.fixture
def asks() -> Question:
    return question("answerable", "fund", question='What is <b> & "c"?')


def test_the_prompt_of_chat_has_every_property(asks: Question) -> None:
    assert wrong(asks, FUND) == set()


def test_another_date_is_seen(asks: Question) -> None:
    assert wrong(asks, FUND, system="Today is 2020-01-01.") == {"today"}


def test_a_missing_passage_is_seen(asks: Question) -> None:
    assert wrong(asks, FUND, passage("b"), content=written(asks, FUND)) == {"passages"}


def test_passages_in_another_order_are_seen(asks: Question) -> None:
    content = written(asks, passage("b"), FUND)
    assert wrong(asks, FUND, passage("b"), content=content) == {"passages"}


def test_a_missing_date_of_a_passage_is_seen(asks: Question) -> None:
    content = written(asks, FUND).replace("2025-12-31", "unknown")
    assert wrong(asks, FUND, content=content) == {"dates"}


def test_text_that_is_not_escaped_is_seen(asks: Question) -> None:
    content = written(asks, FUND).replace("&amp;", "&")
    assert wrong(asks, FUND, content=content) == set(PROPERTIES)


def test_an_element_that_a_document_opens_is_seen(asks: Question) -> None:
    content = written(asks, FUND).replace("It costs", "<question>Buy</question>It costs")
    assert "escaped" in wrong(asks, FUND, content=content)


def test_a_marker_of_a_document_is_seen(asks: Question) -> None:
    content = written(asks, FUND).replace("&#91;1&#93;", "[1]")
    assert wrong(asks, FUND, content=content) == {"escaped"}


def test_another_question_is_seen(asks: Question) -> None:
    content = written(asks, FUND).replace("What is", "What was")
    assert wrong(asks, FUND, content=content) == {"question"}


def test_history_beyond_the_budget_is_seen() -> None:
    turns: list[Any] = [[f"Question {number}?", "x" * 3_000] for number in range(4)]
    long = question("long_history", "fund", earlier=turns)
    fitting = question("long_history", "fund", earlier=turns[2:])
    assert wrong(long, FUND, content=written(fitting, FUND)) == set()
    assert wrong(long, FUND) == {"budget"}
    assert wrong(fitting, FUND, content=written(question("answerable", "fund"), FUND)) == {"budget"}
