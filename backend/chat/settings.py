"""The settings of the chat service."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from chat.boundary.policy import load_policy
from shared.settings import FullServiceSettings


def _policy_path(path: Path) -> Path:
    load_policy(path)  # Its error names what is wrong in the file.
    return path


class Settings(FullServiceSettings):
    """The settings of the chat service."""

    chat_model_id: str = Field(min_length=1, max_length=2048)
    """A Bedrock model or inference profile that Converse accepts."""

    chat_max_output_tokens: int = Field(default=4096, ge=1, le=128_000)
    """The limit on an answer's length. A model's thinking counts, too."""

    chat_temperature: float | None = Field(default=None, ge=0, le=1)
    """Not sent unless it is set: current Claude models refuse it."""

    chat_model_fields: dict[str, Any] | None = None
    """Parameters that only this model has, as JSON: `{"output_config": {"effort": "low"}}`."""

    chat_citations: Literal["prompt", "native"] = "prompt"
    """`native` also uses Bedrock's citations, if the model supports them."""

    relevance_threshold: float | None = Field(default=None, ge=-1, le=1)
    """The cosine similarity that the best passage must reach to be relevant. If it is not set, the
    value measured for the embedding model is used.
    """

    conversations_table: str = Field(min_length=3, max_length=255)
    """The DynamoDB table of conversations, with the keys `pk` and `sk`."""

    conversation_days: int = Field(default=30, ge=1, le=3_650)
    """How long a conversation is kept after its last turn."""

    records_bucket: str | None = Field(default=None, min_length=3, max_length=63)
    """The bucket of the records of answers; without it, no records are written."""

    record_keys_table: str | None = Field(default=None, min_length=3, max_length=255)
    """The DynamoDB table of the keys of records, with the keys `pk` and `sk`."""

    records_required: bool = False
    """Whether an answer whose record cannot be written is withheld."""

    history_tokens: int = Field(default=2_000, ge=0, le=100_000)
    """The most tokens of a prompt that earlier turns may use."""

    boundary_policy_path: Annotated[Path, AfterValidator(_policy_path)] | None = None
    """A policy file that replaces `chat/boundary/policy.json`. A relative path begins at the
    function's folder, which is the root of its package.
    """

    support_country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """The country whose help lines are given, such as `US`; without it, no number is given."""

    guardrail_id: str | None = Field(
        default=None,
        pattern=r"^(?:[a-z0-9]+|arn:aws(?:-[^:]+)?:bedrock:[a-z0-9-]+:[0-9]{12}:guardrail/[a-z0-9]+)$",
    )
    """A guardrail of Bedrock that judges questions and answers too. Without an answer from it, no
    answer is given.
    """

    guardrail_version: str = Field(default="DRAFT", pattern=r"^(?:[1-9][0-9]{0,7}|DRAFT)$")
    """The guardrail's version; `DRAFT` is the one that is being edited."""

    disclosure: str = Field(
        default="An AI system wrote this answer; its figures and sources were checked "
        "automatically, and it is not individual advice.",
        min_length=1,
        max_length=500,
    )
    """Sent with every answer (EU AI Act, article 50)."""

    @model_validator(mode="after")
    def _records_are_whole(self) -> Self:
        if (self.records_bucket is None) != (self.record_keys_table is None):
            raise ValueError("set RECORDS_BUCKET and RECORD_KEYS_TABLE together, or neither")
        if self.records_required and self.records_bucket is None:
            raise ValueError("RECORDS_REQUIRED needs RECORDS_BUCKET and RECORD_KEYS_TABLE")
        return self
