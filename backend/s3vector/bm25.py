"""BM25: how well the words of passages match those of a question."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from s3vector.postings import Postings, hashes_of
from s3vector.words import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1: Final = 1.2
B: Final = 0.75
MOST_WORDS: Final = 256
"""The most different words of a question that are looked for."""

type _Slice = tuple[int, int, int]  # a segment's number, and where its postings of a word are


def scores(
    postings: Sequence[Postings], text: str, matching: "Sequence[NDArray[np.bool] | None]"
) -> "NDArray[np.float32]":
    """Return the score of each row of all segments; 0 for rows that do not match.

    A word that more than half of the matching rows have is left out, unless the question has no
    other: it hardly tells passages apart, and takes most of the time.

    Frequencies are those of the matching rows. So a score does not depend on passages that were
    deleted or that the reader may not see, nor on which segment has which passage.

    Args:
        postings: Those of each segment.
        text: The question.
        matching: Whether each row of a segment is searched; None if all are.
    """
    import numpy as np

    lengths = np.concatenate([one.lengths for one in postings] or [np.empty(0, dtype=np.uint32)])
    wanted = _joined(postings, matching)
    searched = lengths if wanted is None else lengths[wanted]
    result = np.zeros(len(lengths), dtype=np.float32)
    found = _find(postings, text)
    if not found or not len(searched):
        return result
    starts = np.cumsum([0, *(len(one.lengths) for one in postings)])
    penalty = (K1 * (1 - B + B * lengths / max(1.0, float(searched.mean())))).astype(np.float32)
    matches = []
    for slices in found:
        row = _rows(postings, slices, starts)
        chosen = None if wanted is None else wanted[row]
        frequency = len(row) if chosen is None else int(np.count_nonzero(chosen))
        matches.append((frequency, slices, row, chosen))
    rare = [one for one in matches if 0 < one[0] * 2 <= len(searched)]
    for frequency, slices, row, chosen in rare or matches:
        count = _counts(postings, slices)
        if chosen is not None:
            row, count = row[chosen], count[chosen]  # noqa: PLW2901
        weight = np.log1p((len(searched) - frequency + 0.5) / (frequency + 0.5)) * (K1 + 1)
        # A word has a row only once, so that adding by index is enough.
        result[row] += np.float32(weight) * count / (count + penalty[row])
    return result


def _joined(
    postings: Sequence[Postings], matching: "Sequence[NDArray[np.bool] | None]"
) -> "NDArray[np.bool] | None":
    """Return whether each row of all segments is searched; None if all are."""
    import numpy as np

    if all(one is None or one.all() for one in matching):
        return None
    return np.concatenate(
        [
            np.ones(len(one.lengths), dtype=bool) if rows is None else rows
            for one, rows in zip(postings, matching, strict=True)
        ]
    )


def _find(postings: Sequence[Postings], text: str) -> list[list[_Slice]]:
    """Return the slices of each word of the question that a segment has."""
    hashes = hashes_of(list(dict.fromkeys(words_of(text)))[:MOST_WORDS])
    found: dict[int, list[_Slice]] = defaultdict(list)
    for segment, one in enumerate(postings):
        for word, start, end in one.find(hashes):
            found[word].append((segment, start, end))
    return [found[word] for word in sorted(found)]


def _rows(
    postings: Sequence[Postings], slices: Sequence[_Slice], starts: "NDArray[np.intp]"
) -> "NDArray[np.intp]":
    import numpy as np

    rows = [postings[segment].rows[start:end] for segment, start, end in slices]
    sizes = [end - start for _, start, end in slices]
    first = np.repeat(starts[[segment for segment, _, _ in slices]], sizes)
    return np.concatenate(rows, dtype=np.intp, casting="unsafe") + first


def _counts(postings: Sequence[Postings], slices: Sequence[_Slice]) -> "NDArray[np.float32]":
    import numpy as np

    counts = [postings[segment].counts[start:end] for segment, start, end in slices]
    return np.concatenate(counts, dtype=np.float32)
