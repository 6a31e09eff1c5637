"""The relevance threshold of an embedding model, measured on a set.

The threshold is the largest that stops at most 1 % of the questions which the documents answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evaluation.services import Asked

MOST_LOST: Final = 0.01


@dataclass(frozen=True)
class Calibration:
    """A threshold, and what it does to the questions that it was measured on.

    Attributes:
        model: The embedding model.
        threshold: The lowest cosine similarity of the best passage.
        lost: How many of `answerable` questions it stops.
        let_through: How many of `unanswerable` questions it does not stop.
    """

    model: str
    threshold: float
    lost: int
    answerable: int
    let_through: int
    unanswerable: int

    def __str__(self) -> str:
        return (
            f"{self.model}: {self.threshold:.4f} loses {self.lost} of {self.answerable} answerable "
            f"questions and lets {self.let_through} of {self.unanswerable} others through"
        )


def calibrate(asked: Sequence[Asked]) -> Calibration:
    """Return the threshold for the embedding model that the questions were searched with.

    Raises:
        ValueError: No question with an answer was searched for.
    """
    answerable = sorted(_best(one) for one in asked if one.question.places and _searched(one))
    others = [_best(one) for one in asked if one.question.kind == "unanswerable" and _searched(one)]
    if not answerable:
        raise ValueError("no question of the set has an answer in the documents")
    lowest = answerable[math.floor(len(answerable) * MOST_LOST)]
    # Rounded down, so that the question which decides is kept.
    threshold = math.floor(lowest * 10_000) / 10_000
    models = {str(one.retrieved.embedding_model) for one in asked if one.retrieved is not None}
    return Calibration(
        ", ".join(sorted(models)),
        threshold,
        lost=sum(score < threshold for score in answerable),
        answerable=len(answerable),
        let_through=sum(score >= threshold for score in others),
        unanswerable=len(others),
    )


def _searched(one: Asked) -> bool:
    return one.retrieved is not None


def _best(one: Asked) -> float:
    closest = one.retrieved.closest if one.retrieved is not None else None
    return -1.0 if closest is None else closest
