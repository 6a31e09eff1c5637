"""Reading Word documents."""

from runner.extraction import extract
from runner.office.tests.files import paragraph, word, word_table


def lines(content: bytes) -> list[str]:
    return [line for line in extract(content, "office").section(0).splitlines() if line]


def test_headings_and_rows_of_tables_are_read_as_such() -> None:
    table = word_table([["Account", "Rate"], ["Saver", "4 %"], ["Bond", "5 %"]])
    content = word(
        paragraph("Rates", "Heading1") + paragraph("Savings", "Heading2") + table + paragraph("End")
    )
    assert lines(content) == [
        "# Rates",
        "## Savings",
        "| Account | Rate |",
        "| --- | --- |",
        "| Saver | 4 % |",
        "| Bond | 5 % |",
        "End",
    ]


def test_hidden_and_deleted_text_is_left_out() -> None:
    hidden = paragraph("secret", run="<w:vanish/>") + paragraph(
        "shown", run='<w:vanish w:val="0"/>'
    )
    deleted = (
        "<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:r><w:t>new</w:t></w:r></w:p>"
    )
    assert lines(word(hidden + deleted)) == ["shown", "new"]


def test_the_title_is_the_one_that_the_document_shows() -> None:
    shown = paragraph("The plan", "Title") + paragraph("Scope", "Heading1")
    heading = paragraph("Scope", "Heading1")
    assert extract(word(shown, title="Old template"), "office").title == "The plan"
    assert extract(word(heading, title="Pensions 2026"), "office").title == "Pensions 2026"
    assert extract(word(heading, title="Microsoft Word - scope.doc"), "office").title == "Scope"
    assert extract(word(paragraph("text")), "office").title is None
