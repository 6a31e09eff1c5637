"""Response models of an answered question: `chat` returns them, `api` passes them on.

Offsets count Unicode code points, and ranges are half-open.
"""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from shared.models import Timestamp
from shared.personal_data import mask

MAX_ID_CHARACTERS = 128
MAX_REASON_CHARACTERS = 1_000

Status = Literal["answered", "partial", "unknown", "refused", "incomplete"]
BoundaryCategory = Literal["information", "recommendation", "distress", "fraud"]
ConversationId = Annotated[
    str, StringConstraints(pattern=rf"^[A-Za-z0-9_-]{{1,{MAX_ID_CHARACTERS}}}$")
]
AnswerId = ConversationId


class _Body(BaseModel):
    # Services are deployed one after another: ignore fields that a newer one adds.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Span(_Body):
    """A range of characters in the answer."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class Citation(_Body):
    """A sentence or table row of a passage that parts of the answer rest on."""

    marker: Annotated[int, Field(ge=1, description="1 where the answer says `[1]`.")]
    document_id: str
    passage_id: str
    title: str | None = None
    page: int | None = None
    as_of: Annotated[
        str | None,
        Field(description="ISO date of the facts, from the document's metadata."),
    ] = None
    quote: Annotated[str, Field(description="Verbatim from the passage.")]
    start: Annotated[int, Field(ge=0, description="Where the quote starts in the passage.")]
    end: Annotated[int, Field(ge=0, description="Where the quote ends in the passage.")]
    spans: Annotated[list[Span], Field(description="Parts of the answer that rest on the quote.")]
    score: Annotated[float, Field(description="Cosine similarity to the question.")]


class Removed(_Body):
    """A sentence, list item or table row that the passages do not prove, or that recommends."""

    sentence: str
    reason: Annotated[
        Literal[
            "no_citation",
            "number_not_in_source",
            "unknown_source",
            "not_supported",
            "recommendation",
        ],
        Field(description="`recommendation`: it says what the reader personally should do."),
    ]


class Boundary(_Body):
    """The category of the question, and what decided it."""

    category: Annotated[
        BoundaryCategory,
        Field(
            description="`information` is answered. A `recommendation` gets general information "
            "(`partial`) or none (`refused`). `distress` and `fraud` get help at once (`refused`)."
        ),
    ]
    rule: Annotated[
        str | None,
        Field(description="The policy's rule, or `guardrail/` and a name; null if none matched."),
    ] = None
    policy_version: str


class Usage(_Body):
    """The model's input and output, in tokens."""

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0


class CheckedAnswer(_Body):
    """An answer whose figures and sources were checked against the passages that it cites."""

    answer: Annotated[str, Field(description="With a marker, such as `[1]`, for each citation.")]
    status: Annotated[
        Status,
        Field(
            description="`partial`: sentences were removed, or only general information is given. "
            "`unknown`: nothing is left, or nothing relevant was found. `refused`: see `boundary`. "
            "`incomplete`: the model stopped early, see `stop_reason`."
        ),
    ]
    stop_reason: Annotated[
        str | None, Field(description="Bedrock's stop reason; null where no model was asked.")
    ] = None
    citations: list[Citation] = []
    removed: list[Removed] = []
    question_figures: Annotated[
        list[Span],
        Field(description="Figures in the answer that occur in the question but in no passage."),
    ] = []
    relevance: Annotated[
        Literal["relevant", "irrelevant", "uncalibrated"] | None,
        Field(
            description="`uncalibrated`: no threshold is known for the embedding model, so every "
            "passage was used. Null where nothing was retrieved."
        ),
    ] = None
    disclosure: Annotated[str, Field(description="Says that an AI wrote the answer.")]
    boundary: Annotated[
        Boundary | None, Field(description="Null in an answer that an earlier release kept.")
    ] = None
    usage: Usage = Usage()
    model_id: Annotated[str | None, Field(description="Null where no model was asked.")] = None


class GivenAnswer(CheckedAnswer):
    """An answer with the ids under which it is stored."""

    answer_id: str
    conversation_id: Annotated[str, Field(description="Send it with the next question.")]


class Feedback(BaseModel):
    """A user's rating of an answer; a later rating replaces it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rating: Literal["up", "down"]
    reason: (
        Annotated[
            str,
            StringConstraints(
                min_length=1, max_length=MAX_REASON_CHARACTERS, strip_whitespace=True
            ),
            AfterValidator(mask),
        ]
        | None
    ) = None


class Turn(_Body):
    """A question and its answer."""

    answer_id: str
    asked_at: Timestamp
    question: str
    answer: CheckedAnswer
    feedback: Feedback | None = None


class KeptConversation(_Body):
    """The newest turns of a conversation, oldest first."""

    conversation_id: str
    expires_at: Annotated[Timestamp, Field(description="Each new turn postpones it.")]
    turns: list[Turn]
