"""The resources that one question uses. Each can be set: it depends on model and data."""

import math
from dataclasses import dataclass
from typing import Final

_SECONDS_A_MONTH: Final = 730 * 3600


@dataclass(frozen=True)
class Question:
    """One call of `POST /api/ask`, which calls chat, which calls s3vector, through the gateway."""

    memory_gb: float = 0.5
    api_seconds: float = 0.03
    chat_seconds: float = 0.10
    s3vector_seconds: float = 0.12
    model_seconds: float = 10.0
    log_kb: float = 6.0
    embedding_tokens: int = 20
    input_tokens: int = 1_500
    output_tokens: int = 600
    # A turn of 3 KB: a transaction counts each of its writes twice, and its count two.
    conversation_writes: int = 9
    record_key_reads: int = 6
    calls: int = 3

    @property
    def gb_seconds(self) -> float:
        """Return what Lambda bills: a function that waits for another one is billed too."""
        chat = self.chat_seconds + self.s3vector_seconds + self.model_seconds
        return self.memory_gb * (self.api_seconds + chat + chat + self.s3vector_seconds)


def traces(requests: float, sample_percent: float) -> float:
    """Return the traces of a month: the first request of each second, and a share of the others.

    Requests arrive independently of each other, evenly over the month.
    """
    first = _SECONDS_A_MONTH * -math.expm1(-requests / _SECONDS_A_MONTH)
    return first + (requests - first) * sample_percent / 100
