"""Honest completions are kept; with one thing changed, the changed part is removed."""

import random
import re

import pytest

from chat.answers.check import check
from chat.answers.tests.samples import HONEST, passages

_MARKER = re.compile(r"\s?\[\d+\]")
_NUMBER = re.compile(
    r"(?<![\w\[#(.,-])\$?\d[\d,]*\d(?:\.\d+)?(?:%| million| basis points)?(?![\w\])-])"
)


@pytest.mark.parametrize(("form", "question", "names", "completion"), HONEST)
def test_an_honest_completion_stands(
    form: str, question: str, names: tuple[str, ...], completion: str
) -> None:
    answer = check(completion, passages(*names), question=question)
    assert [(one.text, one.reason.value) for one in answer.removed] == []
    assert answer.status == "answered"
    for citation in answer.citations:
        text = passages(citation.document_id)[0].text
        assert citation.quote == text[citation.start : citation.end]
        assert citation.spans


def test_a_changed_figure_never_reaches_the_caller() -> None:
    chance = random.Random(13)
    changed = 0
    for _ in range(400):
        _, question, names, completion = chance.choice(HONEST)
        found = [
            match
            for match in _NUMBER.finditer(completion)
            if not re.search(r"\[[^\]]*$", completion[: match.start()])
        ]
        if not found:
            continue
        match = chance.choice(found)
        digits = re.sub(r"\D", "", match[0])
        other = match[0].replace(match[0].strip("$% abcdefghijklmnopqrstuvwxyz"), digits + "7")
        wrong = completion[: match.start()] + other + completion[match.end() :]
        answer = check(wrong, passages(*names), question=question)
        assert other not in _MARKER.sub("", answer.answer), (match[0], other, answer.answer)
        changed += 1
    assert changed > 200


@pytest.mark.parametrize(
    "marker", ["[invented#4]", "[99]", "\u301099\u3011", "(source: IRS)", "[^77]", ""]
)
def test_invented_sources_prove_nothing(marker: str) -> None:
    for _, question, names, completion in HONEST:
        uncited = re.sub(r"\s?\[[^\]]+\]", f" {marker}" if marker else "", completion)
        answer = check(uncited, passages(*names), question=question)
        assert answer.citations == ()
        assert answer.status == "unknown"
        assert not marker or marker not in answer.answer
