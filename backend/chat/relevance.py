"""Decides whether the retrieved passages are relevant to the question."""

from typing import Final, Literal

Relevance = Literal["relevant", "irrelevant", "uncalibrated"]

CALIBRATED: Final[dict[str, float]] = {}
"""For each embedding model, the cosine that the best passage must reach.

A value is measured so that at most 1 % of answerable questions stay below it. None has been
measured for a Bedrock model; the variable `RELEVANCE_THRESHOLD` sets one for a deployment.
"""


class RelevanceGate:
    """Judges the best cosine similarity, whose scale differs between embedding models.

    Never a fused score: its best is near 1 whatever the question is.

    Args:
        override: The threshold to use instead of the embedding model's.
    """

    def __init__(self, override: float | None = None) -> None:
        self._override = override

    def judge(self, closest: float | None, embedding_model: str | None) -> Relevance | None:
        """Compare the best cosine with the threshold; None if there are no passages.

        "uncalibrated" means that no threshold is known for the embedding model.
        """
        if closest is None:
            return None
        threshold = self._override
        if threshold is None:
            threshold = CALIBRATED.get(embedding_model or "")
        if threshold is None:
            return "uncalibrated"
        return "relevant" if closest >= threshold else "irrelevant"
