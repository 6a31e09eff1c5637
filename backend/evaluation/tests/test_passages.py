"""Text that parser or splitter lost is seen."""

import pytest

from evaluation import passages
from evaluation.question_set import QuestionSet
from evaluation.tests.examples import question
from shared.documents import DocumentBody

TEXT = "One sentence. Two sentences.\n\nThree sentences."


@pytest.mark.parametrize(
    ("stored", "whole"),
    [
        (["One sentence. Two sentences.", "Three sentences."], 1),
        (["One sentence. Two sentences.", "Two sentences.\n\nThree sentences."], 1),
        (["One sentence. Two sentences.", "# Above\n| a |\n\nThree sentences."], 1),
        (["One sentence. Two sentences.", "Not above.\nThree sentences."], 0),
        (["One sentence.", "Three sentences."], 0),
        (["One sentence. Two sentences."], 0),
        ([], 0),
    ],
)
def test_all_of_a_text_must_be_in_its_passages(stored: list[str], whole: int) -> None:
    found = QuestionSet([DocumentBody(id="a", text=TEXT)], [question("answerable", "a")])
    section = passages.measure(found, {"a": stored})
    assert section.metrics["documents_whole"] == whole


def test_a_label_that_fits_no_document_is_seen() -> None:
    labelled = question("comparison", "a: Two", "a: Four")
    found = QuestionSet([DocumentBody(id="a", text=TEXT)], [labelled])
    section = passages.measure(found, {"a": [TEXT]})
    assert section.metrics["labels_found"] == 0.5
    assert section.notes == ["q-1: a does not contain 'Four'"]


def test_a_passage_that_is_too_long_is_wrong() -> None:
    text = "x" * (passages.LONGEST + 1)
    found = QuestionSet([DocumentBody(id="a", text=text)], [question("answerable", "a")])
    assert passages.measure(found, {"a": [text]}).items == {"a": False}
