"""Request bodies of the chat service; its response bodies are in `shared.answers`."""

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.answers import ConversationId
from shared.description.examples import with_examples
from shared.documents import MetadataFilter
from shared.personal_data import mask


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Message(_Body):
    """One turn of a conversation. Personal numbers in it are masked before anything reads it."""

    role: Literal["user", "assistant"]
    content: Annotated[
        str,
        StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True),
        AfterValidator(mask),
    ]


class MessagesRequest(_Body):
    """A conversation that ends with the user's question.

    Either the service keeps the earlier turns (`conversation_id`), or the caller sends them.
    """

    model_config = with_examples(
        {"messages": [{"role": "user", "content": "How much should I keep for emergencies?"}]}
    )

    messages: Annotated[
        list[Message],
        Field(
            min_length=1,
            max_length=50,
            description="The assistant's turns reach the model as unverified quotations.",
        ),
    ]
    conversation_id: Annotated[
        ConversationId | None,
        Field(description="Continues a stored conversation; without it, a new one begins."),
    ] = None
    top_k: Annotated[int, Field(ge=1, le=20, description="Passages to retrieve.")] = 5
    filter: MetadataFilter | None = None

    @property
    def question(self) -> str:
        """The last message."""
        return self.messages[-1].content

    @model_validator(mode="after")
    def _turns_alternate(self) -> Self:
        expected: Literal["user", "assistant"] = "user"
        for message in self.messages:
            if message.role != expected:
                raise ValueError("messages must begin with the user and alternate")
            expected = "assistant" if expected == "user" else "user"
        if self.messages[-1].role != "user":
            raise ValueError("the last message must be the user's")
        if self.conversation_id is not None and len(self.messages) > 1:
            raise ValueError("with conversation_id, send only the new question in messages")
        return self
