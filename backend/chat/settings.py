"""The settings of the chat service."""

from pydantic import Field

from shared.settings import FullServiceSettings


class Settings(FullServiceSettings):
    """What the chat service reads from its environment."""

    chat_model_id: str = Field(min_length=1, max_length=2048)
    """A Bedrock model or inference profile that Converse accepts."""

    max_output_tokens: int = Field(default=1024, ge=1, le=8192)
    temperature: float = Field(default=0.2, ge=0, le=1)

    min_score: float = Field(default=0.12, ge=-1, le=1)
    """Cosine similarity below which a passage is not relevant to the question."""
