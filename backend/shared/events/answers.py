"""The events of a streamed answer, in their order: `status`, `passages`, `unit` and `removed`.

The last event is `done`, whose data is the whole answer, or `error`, whose data is an
`ErrorResponse`. A stream without either was cut, and its answer is not whole.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.answers import Citation


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class StatusEvent(_Data):
    """What is being done now."""

    state: Literal["started", "searching", "writing"]
    conversation_id: Annotated[
        str | None, Field(description="With `started`: the conversation of this question.")
    ] = None


class FoundPassage(_Data):
    """A passage that the model may cite."""

    document_id: str
    passage_id: str
    title: str | None
    page: int | None
    as_of: str | None
    text: str
    score: float


class PassagesEvent(_Data):
    """The passages that were found, in the order of the prompt."""

    passages: list[FoundPassage]


class UnitEvent(_Data):
    """A part of the answer after its check. The texts of all units, joined, are the answer."""

    text: Annotated[str, Field(description="With the white space before it.")]
    start: Annotated[int, Field(ge=0, description="Where it starts in the answer.")]
    end: Annotated[int, Field(ge=0)]
    citations: Annotated[
        list[Citation], Field(description="Those of this unit; their spans are in the answer.")
    ] = []
