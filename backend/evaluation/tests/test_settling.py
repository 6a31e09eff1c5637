"""What is streamed of an answer is what the buffered answer has, for the sets of completions."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from chat.answers.check import check, check_beginning
from chat.answers.checked_answer import CheckedAnswer, Piece
from chat.answers.passages import Passage
from evaluation.completions.adversarial import generate
from evaluation.recordings import RecordedPassage, honest_recordings, labelled_recordings

_PARAGRAPH = re.compile(r"\n\s*\n")
# Beginnings that act on the paragraph before, or that a settled paragraph must wait for.
_GLUE = ("", "", "", "However, ", "But ", "It ", "- ", "[1]\n\n", "Sources:\n", "Only then: ")


class _Written(NamedTuple):
    completion: str
    passages: Sequence[Passage]
    question: str


def _honest() -> list[_Written]:
    recordings = [*honest_recordings()]
    for name in ("development", "held_out"):
        recordings += labelled_recordings(name)
    return [
        _Written(one.completion, [each.passage() for each in one.passages], one.question)
        for one in recordings
    ]


def _adversarial(count: int) -> list[_Written]:
    return [
        _Written(
            one.completion,
            [RecordedPassage.model_validate(each).passage() for each in one.passages],
            one.question,
        )
        for one in generate(count)
    ]


def _joined(count: int) -> Iterator[_Written]:
    """Yield honest and adversarial completions as paragraphs of one, over all their passages."""
    chosen = random.Random(19)
    parts = [*_honest(), *_adversarial(200)]
    for _ in range(count):
        some = chosen.sample(parts, chosen.choice((2, 3)))
        yield _Written(
            "\n\n".join(chosen.choice(_GLUE) + one.completion for one in some),
            list({each.passage_id: each for one in some for each in one.passages}.values()),
            some[0].question,
        )


def _sent(answer: CheckedAnswer, pieces: Sequence[Piece]) -> list[Any]:
    """Return the pieces as a caller sees them: text, place and citations, or the removal."""
    seen: list[Any] = []
    for piece in pieces:
        if piece.removed is not None:
            seen.append(piece.removed)
            continue
        cited = [
            (one.marker, one.passage_id, one.quote, [s for s in one.spans if s.end <= piece.end])
            for one in answer.citations
            if any(piece.start <= span.start < piece.end for span in one.spans)
        ]
        seen.append((piece.start, answer.answer[piece.start : piece.end], cited))
    return seen


def _settled_early(written: _Written) -> int:
    """Check every beginning that streaming would; return the most pieces that were settled."""
    whole = check(written.completion, written.passages, question=written.question)
    assert "".join(whole.answer[one.start : one.end] for one in whole.pieces) == whole.answer
    expected = _sent(whole, whole.pieces)
    most = 0
    for paragraph in _PARAGRAPH.finditer(written.completion):
        beginning = written.completion[: paragraph.end() + 49]
        checked = check_beginning(beginning, written.passages, question=written.question)
        seen = _sent(checked, checked.pieces)
        assert seen == expected[: len(seen)], beginning
        most = max(most, len(seen))
    return most


@pytest.mark.parametrize("name", ["honest", "adversarial"])
def test_what_is_settled_early_is_in_the_whole_answer(name: str) -> None:
    all_written = _honest() if name == "honest" else _adversarial(60)
    several = [one for one in all_written if _PARAGRAPH.search(one.completion)]
    early = [_settled_early(one) for one in several]
    assert any(early)


def test_paragraphs_that_act_on_each_other_are_settled_together() -> None:
    early = [_settled_early(one) for one in _joined(25)]
    assert any(early)
    assert not all(early)
