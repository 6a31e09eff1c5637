"""Where conversations are kept, and the ids of conversations and answers."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from shared.answers import Feedback, KeptConversation, Turn

MAX_TURNS_READ: Final = 50

_ID_BYTES: Final = 24
_ANSWER_ID: Final = re.compile(r"a_([0-9a-f]{40})_([1-9][0-9]{0,8})")


class ConversationGone(Exception):
    """The conversation was erased or has expired."""


class Kept(NamedTuple):
    """The newest turns of a conversation, oldest first, and how many there are in all."""

    turns: Sequence[Turn]
    total: int
    expires_at: int
    """Seconds since 1970."""


class ConversationStore(Protocol):
    """Keeps conversations, each for one owner: a user's pseudonym, or None without users.

    Raises:
        Unavailable: The store failed or is throttling; another attempt may work.
        BadDependency: The store refused the request.
    """

    async def create(self, conversation_id: str, *, owner: str | None = None) -> None:
        """Begin a conversation with a new id."""

    async def read(
        self, conversation_id: str, *, limit: int, owner: str | None = None
    ) -> Kept | None:
        """Return the newest turns; None if the owner has no such conversation."""

    async def append(
        self, conversation_id: str, turn: Turn, *, count: int, owner: str | None = None
    ) -> str:
        """Add a turn and return the id of its answer. Concurrent calls lose no turn.

        Args:
            conversation_id: The conversation.
            turn: The turn; its `answer_id` is ignored.
            count: The number of turns that the conversation had when it was read.
            owner: The conversation's owner.

        Raises:
            ConversationGone: The conversation was erased meanwhile.
        """

    async def erase(self, conversation_id: str, *, owner: str | None = None) -> bool:
        """Delete a conversation with all its turns; return False if the owner has none."""

    async def rate(self, answer_id: str, feedback: Feedback, *, owner: str | None = None) -> bool:
        """Store a rating of an answer; return False if the owner has no such answer."""


def new_conversation_id() -> str:
    """Return an id that cannot be guessed: whoever knows it may read the conversation."""
    return f"c_{secrets.token_urlsafe(_ID_BYTES)}"


def partition_of(conversation_id: str) -> str:
    """Return the partition key of a conversation: a hash of its id.

    So neither the table nor an answer's id reveals the conversation's id, which gives access.
    """
    return hashlib.sha256(conversation_id.encode()).hexdigest()[:40]


def answer_id_of(partition: str, number: int) -> str:
    """Return the id of an answer; `number` is that of its turn, counted from 1."""
    return f"a_{partition}_{number}"


def parse_answer_id(answer_id: str) -> tuple[str, int] | None:
    """Return the partition and number of an answer; None for an id of another form."""
    found = _ANSWER_ID.fullmatch(answer_id)
    return (found[1], int(found[2])) if found else None


def kept_conversation(conversation_id: str, kept: Kept) -> KeptConversation:
    """Return the response body that describes a conversation."""
    return KeptConversation(
        conversation_id=conversation_id, expires_at=kept.expires_at, turns=list(kept.turns)
    )
