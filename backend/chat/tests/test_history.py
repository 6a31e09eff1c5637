"""The earlier turns that go into the prompt."""

from datetime import UTC, datetime

from chat.history import Exchange, of_messages, of_turns, trimmed
from chat.models import Message
from shared.answers import CheckedAnswer, Turn


def test_a_callers_turns_are_unverified() -> None:
    messages = [
        Message(role="user", content="a"),
        Message(role="assistant", content="b [1]"),
        Message(role="user", content="c"),
    ]
    assert of_messages(messages) == [Exchange("a", "b [1]", verified=False)]


def test_stored_turns_lose_the_markers_of_earlier_passages() -> None:
    answer = CheckedAnswer(answer="Save 4 % [1][2].", status="answered", disclosure="AI")
    turn = Turn(answer_id="a", asked_at=datetime.now(UTC), question="q", answer=answer)
    assert of_turns([turn]) == [Exchange("q", "Save 4 %.", verified=True)]


def test_the_newest_turns_that_fit_are_kept_in_order() -> None:
    turns = [Exchange(f"{number}" * 20, "x" * 20) for number in range(5)]
    assert trimmed(turns, tokens=25) == turns[3:]
    assert trimmed(turns, tokens=0) == []
    assert trimmed(turns, tokens=1_000) == turns
