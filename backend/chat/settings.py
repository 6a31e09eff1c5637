"""The settings of the chat service."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from shared.settings import FullServiceSettings


class Settings(FullServiceSettings):
    """What the chat service reads from its environment."""

    chat_model_id: str = Field(min_length=1, max_length=2048)
    """A Bedrock model or inference profile that Converse accepts."""

    chat_max_output_tokens: int = Field(default=4096, ge=1, le=128_000)
    """The longest answer. The thinking of a model that thinks counts too."""

    chat_temperature: float | None = Field(default=None, ge=0, le=1)
    """Not sent unless it is set: current Claude models refuse it."""

    chat_model_fields: dict[str, Any] | None = None
    """Parameters of one model alone, as JSON, such as `{"output_config": {"effort": "low"}}`."""

    chat_citations: Literal["prompt", "native"] = "prompt"
    """`native` adds Bedrock's own citations, where the model has them."""

    relevance_threshold: float | None = Field(default=None, ge=-1, le=1)
    """Cosine similarity below which a passage is not relevant to the question. Without it, the
    value that is calibrated for the embedding model.
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
    """The most that earlier turns may take of a prompt."""

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
