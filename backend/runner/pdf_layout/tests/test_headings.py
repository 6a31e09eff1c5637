"""Finding headings by bookmarks, and by the size and the weight of fonts."""

from io import BytesIO

from pypdf import PdfReader, PdfWriter

from runner.extraction import extract
from runner.tests.fakes import make_pdf

_TEXT = "The text of this page is longer than its headings are."


def with_bookmarks(content: bytes, *bookmarks: tuple[str, int, int | None]) -> bytes:
    """Return a PDF with bookmarks: the title, the page, and the number of the one above it."""
    writer = PdfWriter()
    writer.append(PdfReader(BytesIO(content)))
    made: list[object] = []
    for title, page, parent in bookmarks:
        above = None if parent is None else made[parent]
        made.append(writer.add_outline_item(title=title, page_number=page, parent=above))  # type: ignore[arg-type]
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def test_lines_in_larger_and_in_bold_letters_are_headings() -> None:
    large = "[24]Annual report\n[16]Costs of the funds\n[16]in two lines"
    page = "\n".join([large, *[_TEXT] * 3, "[b]Fees", *[_TEXT] * 3])
    document = extract(make_pdf([page, f"{_TEXT}\n[16]1. Risks\n{_TEXT}"]), "pdf")
    assert document.title == "Annual report"
    assert [line for line in document.section(0).split("\n") if line] == [
        "# Annual report",
        "## Costs of the funds in two lines",
        *[_TEXT] * 3,
        "### Fees",
        *[_TEXT] * 3,
    ]
    # The text above the first heading of a page is below those of the page before.
    assert [line for line in document.section(1).split("\n") if line] == [
        "# Annual report",
        "## Costs of the funds in two lines",
        "### Fees",
        _TEXT,
        "## 1. Risks",
        _TEXT,
    ]


def test_a_page_in_large_letters_has_no_headings() -> None:
    slide = "\n".join(f"[20]Point number {number} of the talk" for number in range(5))
    document = extract(make_pdf([slide, *[f"{_TEXT}\n" * 20] * 3]), "pdf")
    assert "#" not in document.section(0)


def test_bookmarks_are_headings_of_their_level_on_their_page_and_on_those_after_it() -> None:
    pages = [f"Fees\n{_TEXT}\n{_TEXT}", f"{_TEXT}\n{_TEXT}\nBonds, 2026:\n{_TEXT}", _TEXT]
    content = with_bookmarks(
        make_pdf(pages), ("Funds", 0, None), ("Fees", 0, 0), ("Bonds 2026", 1, 0)
    )
    document = extract(content, "pdf")
    assert document.section(0).startswith(f"## Fees\n\n{_TEXT}")
    assert document.section(1).startswith(f"# Funds\n## Fees\n\n{_TEXT}")
    assert "\n## Bonds, 2026:\n" in document.section(1)
    assert document.section(2) == f"# Funds\n## Bonds 2026\n\n{_TEXT}"
