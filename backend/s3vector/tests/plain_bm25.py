"""BM25 written down from its formula, over a list of texts: what the index must agree with."""

import math
from collections import Counter
from collections.abc import Sequence

from s3vector.words import words_of


def scores(question: str, texts: Sequence[str]) -> list[float]:
    """Return the score of each text; words of more than half of them count only if all are so."""
    counts = [Counter(words_of(text)) for text in texts]
    lengths = [sum(one.values()) for one in counts]
    mean = max(1.0, sum(lengths) / len(texts)) if texts else 1.0
    frequency = {word: sum(word in one for one in counts) for word in words_of(question)}
    known = {word for word, number in frequency.items() if number}
    rare = {word for word in known if frequency[word] * 2 <= len(texts)}

    def weight(word: str) -> float:
        number = frequency[word]
        return math.log1p((len(texts) - number + 0.5) / (number + 0.5))

    return [
        sum(
            weight(word) * 2.2 * one[word] / (one[word] + 1.2 * (0.25 + 0.75 * length / mean))
            for word in rare or known
        )
        for one, length in zip(counts, lengths, strict=True)
    ]
