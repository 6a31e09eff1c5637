"""The inputs of an answer, collected while it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from chat.chat_model import Completion
from chat.history import Exchange
from chat.retrieval import Retrieved
from shared.request.user import User


class Question(NamedTuple):
    """A question and where it came from.

    Attributes:
        conversation: The conversation's partition, a hash of its id.
        caller: The id of the API key that the gateway accepted; None without a gateway.
        user: Who asked; None without users.
    """

    conversation: str
    asked_at: datetime
    text: str
    history: Sequence[Exchange]
    top_k: int
    metadata_filter: Mapping[str, Any] | None
    caller: str | None = None
    user: User | None = None


@dataclass(slots=True)
class Evidence:
    """Filled by the answerer; what stays empty was not needed for the answer."""

    today: date | None = None
    retrieved: Retrieved | None = None
    system: str = ""
    prompt: str = ""
    completion: Completion | None = None
