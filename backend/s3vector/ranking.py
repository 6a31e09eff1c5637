"""Ranks the rows of all segments by meaning (cosine similarity), by words (BM25), or by both."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DENSE_WEIGHT: Final = 0.7
"""The share of the cosine similarity in the fused score. docs/retrieval.md has the measurement."""

# Below this share of a segment's rows, copying them is cheaper than comparing with all rows.
_FEW_ROWS: Final = 8


@dataclass(frozen=True)
class Ranking:
    """The scores of all rows.

    Attributes:
        cosines: The cosine similarities; -inf for rows that are not searched. None if only words
            are compared.
        lexical: The BM25 scores; 0 for rows that are not searched. None if only vectors are
            compared.
    """

    cosines: "NDArray[np.float32] | None"
    lexical: "NDArray[np.float32] | None"

    def best(self, count: int) -> list[tuple[float, int]]:
        """Return (score, row) of the best rows in any order, and of those that tie with them."""
        import numpy as np

        scores = self._scores
        if len(scores) > count:
            best = np.argpartition(scores, len(scores) - count)[len(scores) - count :]
            chosen = np.flatnonzero(scores >= scores[best].min())
        else:
            chosen = np.arange(len(scores))
        chosen = chosen[scores[chosen] > -np.inf]
        return list(zip(scores[chosen].tolist(), chosen.tolist(), strict=True))

    def of(self, row: int) -> dict[str, Any]:
        """Return the scores of a row as a `Hit` has them."""
        return {
            "score": None if self.cosines is None else _bounded(float(self.cosines[row])),
            "lexical": None if self.lexical is None else float(self.lexical[row]),
            "fused": None if self._fused is None else float(self._fused[row]),
        }

    @property
    def best_cosine(self) -> float | None:
        """The highest cosine similarity of all rows that are searched; None if there are none."""
        import numpy as np

        if self.cosines is None or not (self.cosines > -np.inf).any():
            return None
        return _bounded(float(self.cosines.max()))

    @cached_property
    def _fused(self) -> "NDArray[np.float32] | None":
        if self.cosines is None or self.lexical is None:
            return None
        return fuse(self.cosines, self.lexical)

    @cached_property
    def _scores(self) -> "NDArray[np.float32]":
        import numpy as np

        if self._fused is not None:
            return self._fused
        if self.cosines is not None:
            return self.cosines
        if self.lexical is None:
            raise ValueError("neither vectors nor words are compared")
        return np.where(self.lexical > 0, self.lexical, np.float32(-np.inf))


def cosines(
    matrices: "Sequence[NDArray[np.float32]]",
    query: "NDArray[np.float32]",
    matching: "Sequence[NDArray[np.bool] | None]",
) -> "NDArray[np.float32]":
    """Return the cosine similarity of each row; -inf for rows that do not match.

    Args:
        matrices: The vectors of each segment, of length 1.
        query: A vector of length 1.
        matching: Whether each row of a segment matches; None if all do.
    """
    import numpy as np

    scores = np.full(sum(map(len, matrices)), -np.inf, dtype=np.float32)
    start = 0
    for matrix, wanted in zip(matrices, matching, strict=True):
        rows = len(matrix)
        own = scores[start : start + rows]
        start += rows
        count = rows if wanted is None else int(np.count_nonzero(wanted))
        if not count:
            continue
        if wanted is not None and count * _FEW_ROWS < rows:
            chosen = np.flatnonzero(wanted)
            own[chosen] = matrix[chosen] @ query
            continue
        np.dot(matrix, query, out=own)
        if wanted is not None:
            own[~wanted] = -np.inf
    return scores


def fuse(cosines: "NDArray[np.float32]", lexical: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Return one score for each row, at most 1.

    Both scores are brought to one scale first. On it 0 is a row that does not fit: one without any
    of the words, or one no nearer than the mean of all rows. The best row has 1.
    """
    import numpy as np

    searched = cosines > -np.inf
    if not searched.any():
        return cosines
    middle = cosines.mean(where=searched, dtype=np.float64)
    scale = max(float(cosines.max() - middle), 1e-6)
    fused = (cosines - np.float32(middle)) * np.float32(DENSE_WEIGHT / scale)
    fused += lexical * np.float32((1 - DENSE_WEIGHT) / max(float(lexical.max()), 1e-6))
    return fused


def _bounded(cosine: float) -> float:
    return min(1.0, max(-1.0, cosine))
