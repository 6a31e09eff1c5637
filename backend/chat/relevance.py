"""Whether what was retrieved has anything to do with the question."""

from collections.abc import Sequence
from typing import Final, Literal

from chat.answers.passages import Passage

Relevance = Literal["relevant", "irrelevant", "uncalibrated"]

CALIBRATED: Final[dict[str, float]] = {}
"""The lowest cosine of the best passage by embedding model.

A value loses at most 1 % of the answerable questions of a measurement. No value has been measured
for a model of Bedrock; `MIN_SCORE` sets one for a deployment.
"""


class RelevanceGate:
    """Judges the best cosine similarity, whose scale differs between embedding models.

    Args:
        override: The threshold in place of the embedding model's own.
    """

    def __init__(self, override: float | None = None) -> None:
        self._override = override

    def judge(self, passages: Sequence[Passage], embedding_model: str | None) -> Relevance | None:
        """Return None where there is no passage."""
        if not passages:
            return None
        threshold = self._override
        if threshold is None:
            threshold = CALIBRATED.get(embedding_model or "")
        if threshold is None:
            return "uncalibrated"
        best = max(passage.score for passage in passages)
        return "relevant" if best >= threshold else "irrelevant"
