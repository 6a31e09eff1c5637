"""The earlier turns of a conversation, for the prompt and for the search."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chat.models import Message
from shared.answers import Turn

# English text has about four characters a token. An estimate: some models publish no tokenizer.
_CHARACTERS_PER_TOKEN: Final = 4
_MARKER: Final = re.compile(r"\s?\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its reply.

    Attributes:
        verified: True if this service checked the reply, False if a caller sent it.
    """

    question: str
    answer: str = ""
    verified: bool = False


def of_turns(turns: Sequence[Turn]) -> list[Exchange]:
    """Return stored turns without `[1]` markers: they number passages of an earlier prompt."""
    return [Exchange(turn.question, _MARKER.sub("", turn.answer.answer), True) for turn in turns]


def of_messages(messages: Sequence[Message]) -> list[Exchange]:
    """Return the turns in a caller's messages; the last message is the new question."""
    earlier = messages[:-1]
    return [
        Exchange(asked.content, replied.content)
        for asked, replied in zip(earlier[::2], earlier[1::2], strict=True)
    ]


def trimmed(history: Sequence[Exchange], *, tokens: int) -> list[Exchange]:
    """Return the newest turns that fit into a budget of tokens."""
    left = tokens * _CHARACTERS_PER_TOKEN
    kept: list[Exchange] = []
    for exchange in reversed(history):
        left -= len(exchange.question) + len(exchange.answer)
        if left < 0:
            break
        kept.append(exchange)
    return kept[::-1]
