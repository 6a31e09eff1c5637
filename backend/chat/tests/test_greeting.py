"""Only texts without a question about the documents count as greetings."""

import pytest

from chat.greeting import greeting


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("Hello", "Hello."),
        ("hi there!", "Hello."),
        ("Good morning", "Hello."),
        ("Hello, how are you today?", "Hello."),
        ("Thanks!", "You are welcome"),
        ("thank you very much", "You are welcome"),
        ("Thanks for your help, bye", "Goodbye"),
        ("Who are you?", "I am an AI"),
        ("Hello! What can you do?", "I am an AI"),
        ("are you a human?", "I am an AI"),
        ("Bye \U0001f44b", "Goodbye"),
    ],
)
def test_a_greeting_is_answered(text: str, begins: str) -> None:
    reply = greeting(text)
    assert reply is not None
    assert reply.startswith(begins)


@pytest.mark.parametrize(
    "text",
    [
        "Hello, what is inflation?",
        "Thanks. And for bonds?",
        "What is a good day to buy shares?",
        "Who are you allowed to name as a beneficiary?",
        "help me with my mortgage",
        "hi-yield savings",
        "Is there help for student loans?",
        "?",
        "",
        "there",
        "hello " * 100,
    ],
)
def test_a_question_is_no_greeting(text: str) -> None:
    assert greeting(text) is None
