"""Decides whether the retrieved passages are relevant to the question."""

from collections.abc import Sequence
from typing import Final, Literal

from chat.answers.passages import Passage

Relevance = Literal["relevant", "irrelevant", "uncalibrated"]

CALIBRATED: Final[dict[str, float]] = {}
"""For each embedding model, the cosine that the best passage must reach.

A value is measured so that at most 1 % of answerable questions stay below it. None has been
measured for a Bedrock model; the variable `RELEVANCE_THRESHOLD` sets one for a deployment.
"""


class RelevanceGate:
    """Judges the best cosine similarity, whose scale differs between embedding models.

    Args:
        override: The threshold to use instead of the embedding model's.
    """

    def __init__(self, override: float | None = None) -> None:
        self._override = override

    def judge(self, passages: Sequence[Passage], embedding_model: str | None) -> Relevance | None:
        """Compare the best passage with the threshold; None if there are no passages.

        "uncalibrated" means that no threshold is known for the embedding model.
        """
        if not passages:
            return None
        threshold = self._override
        if threshold is None:
            threshold = CALIBRATED.get(embedding_model or "")
        if threshold is None:
            return "uncalibrated"
        best = max(passage.score for passage in passages)
        return "relevant" if best >= threshold else "irrelevant"
