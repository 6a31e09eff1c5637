"""The interface of language models: `ChatModel`, its input, output and errors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chat.answers.check import Segment
from chat.models import Message
from shared.errors import BadDependency, Unprocessable


class PromptPassage(NamedTuple):
    """A retrieved passage, for models that take each source as a separate document."""

    id: str
    title: str | None
    text: str


@dataclass(frozen=True)
class Completion:
    """The text that a model wrote, why it stopped, and the tokens it used."""

    segments: tuple[Segment, ...]
    stop_reason: str
    input_tokens: int
    output_tokens: int

    @property
    def text(self) -> str:
        """The segments, joined."""
        return "".join(segment.text for segment in self.segments)

    @property
    def is_whole(self) -> bool:
        """Whether the answer is complete: the model ended it, and no limit or filter did."""
        return self.stop_reason in {"end_turn", "stop_sequence"}


class UnusableCompletion(BadDependency):
    """The model returned no text; `stop_reason` is Bedrock's, or `unknown`."""

    def __init__(self, detail: str, stop_reason: str) -> None:
        super().__init__(detail)
        self.stop_reason = stop_reason


class ModelRefused(BadDependency):
    """Bedrock refused the request for a reason that only an operator can correct."""


class ConversationTooLong(Unprocessable):
    """The question and its passages do not fit into the model's context window."""


type Written = Callable[[Sequence[Segment]], Awaitable[None]]
"""Gets the beginning of a completion, again and again while the model writes it."""


class ChatModel(Protocol):
    """Completes a conversation."""

    @property
    def model_id(self) -> str:
        """The name of the model."""

    async def complete(
        self,
        system: str,
        messages: Sequence[Message],
        *,
        passages: Sequence[PromptPassage] = (),
        written: Written | None = None,
    ) -> Completion:
        """Return the assistant's next turn.

        Args:
            system: The instructions.
            messages: The conversation. The last one contains each passage in a `<passage>`
                element, so that every model can cite.
            passages: The same passages, for a model that creates citations itself.
            written: Called with what the model has written so far; without it, the model need not
                stream.
        """
