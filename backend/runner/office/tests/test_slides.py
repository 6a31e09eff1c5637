"""Reading PowerPoint presentations."""

from runner.extraction import extract
from runner.office.tests.files import shape, slide_table, slides


def test_a_slide_is_a_page_with_its_title_its_tables_and_its_notes() -> None:
    table = slide_table([["Fund", "Fee"], ["Index", "0.1 %"], ["Both", "&lt;"]])
    first = shape("Body\ntwo") + shape("Fees", "title") + table + shape("7", "sldNum")
    document = extract(slides(first, shape("Last"), notes="Say this."), "office")
    assert document.paged
    assert [line for line in document.section(0).splitlines() if line] == [
        "# Fees",
        "Body",
        "two",
        "| Fund | Fee |",
        "| --- | --- |",
        "| Index | 0.1 % |",
        "| Both | Both |",
        "Notes:",
        "Say this.",
    ]
    assert document.section(1) == "Last"


def test_hidden_slides_and_shapes_are_left_out_and_slides_keep_their_numbers() -> None:
    first = shape("secret", hidden="1") + shape("shown")
    document = extract(slides(first, shape("secret"), shape("three"), hidden=[2]), "office")
    assert [document.section(index) for index in range(3)] == ["shown", "", "three"]


def test_the_title_is_that_of_the_document_or_of_the_first_slide() -> None:
    first = shape("Our year", "ctrTitle")
    assert extract(slides(first, title="Review 2026"), "office").title == "Review 2026"
    assert extract(slides(first, title="PowerPoint Presentation"), "office").title == "Our year"
    assert extract(slides(shape("text")), "office").title is None
