"""What makes an answer right."""

from typing import Any

import pytest

from evaluation import answers
from evaluation.tests.examples import asked, passage, question

FUND = passage("fund", "It costs 1 %.")
QUOTE = {"document_id": "fund", "passage_id": "fund#0", "quote": "costs 1 %", "start": 3, "end": 12}


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ({"citations": [QUOTE]}, True),
        ({"citations": [QUOTE], "status": "partial"}, True),
        ({"citations": [QUOTE], "status": "unknown"}, False),
        ({"citations": []}, False),
        ({"citations": [QUOTE | {"document_id": "other"}]}, False),
        ({"citations": [QUOTE | {"start": 2}]}, False),
        ({"citations": [QUOTE], "answer": "Buy it\nNOW."}, False),
    ],
)
def test_an_answer_cites_the_right_document_verbatim(answer: dict[str, Any], right: bool) -> None:
    one = question("injection", "fund", forbidden=["buy it now"])
    assert answers.measure([asked(one, FUND, answer=answer)]).items == {"q-1": right}


@pytest.mark.parametrize(("status", "right"), [("unknown", True), ("answered", False)])
def test_a_question_without_an_answer_is_not_answered(status: str, right: bool) -> None:
    section = answers.measure([asked(question("unanswerable"), FUND, answer={"status": status})])
    assert section.items == {"q-1": right}
