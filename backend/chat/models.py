"""Request and response bodies of the chat service."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Message(_Body):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[
        str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True)
    ]


class MessagesRequest(_Body):
    """A conversation that ends with the user's question."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=50)]
    top_k: Annotated[int, Field(ge=1, le=20, description="Passages to retrieve.")] = 5
    filter: Annotated[
        dict[str, JsonValue] | None,
        Field(description="A metadata filter in the syntax of S3 Vectors."),
    ] = None

    @model_validator(mode="after")
    def _turns_alternate(self) -> Self:
        # Bedrock's Converse refuses anything else, with a message that helps nobody.
        expected: Literal["user", "assistant"] = "user"
        for message in self.messages:
            if message.role != expected:
                raise ValueError("messages must begin with the user and alternate")
            expected = "assistant" if expected == "user" else "user"
        if self.messages[-1].role != "user":
            raise ValueError("the last message must be the user's")
        return self


class Citation(_Body):
    """A passage that the answer rests on."""

    document_id: str
    passage_id: str
    title: str | None
    passage: Annotated[str, Field(description="The passage's text.")]
    score: Annotated[float, Field(description="Cosine similarity to the question.")]


class Usage(_Body):
    """Tokens that the model read and wrote."""

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0


class MessagesResponse(_Body):
    """The assistant's turn."""

    message: Message
    citations: list[Citation]
    usage: Usage
    model_id: str
