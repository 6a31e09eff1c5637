"""Extracting text from every kind of document, and from damaged ones."""

from io import BytesIO
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    RectangleObject,
    TextStringObject,
)

from runner.extraction import CONTENT_TYPES, MAX_TEXT_BYTES, Kind, extract, kind_of
from runner.splitting import take_part
from runner.tests.fakes import SCAN, make_pdf
from runner.text import ExtractionError, clean
from shared.documents import ContentType


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("uploads/a.txt", "", "text"),
        ("uploads/a.MD", "application/octet-stream", "markdown"),
        ("uploads/v1.2/page.htm", "", "html"),
        ("uploads/report.pdf", "text/plain", "pdf"),
        ("uploads/rates.xlsx", "", "office"),
        ("uploads/letter.doc", "", "office"),
        ("uploads/rates.tsv", "", "csv"),
        ("uploads/no-suffix", "text/html; charset=utf-8", "html"),
        ("uploads/dotted.folder/file", "application/pdf", "pdf"),
    ],
)
def test_the_kind_follows_from_the_name_or_else_the_media_type(
    name: str, media_type: str, kind: Kind
) -> None:
    assert kind_of(name, media_type) == kind


@pytest.mark.parametrize("name", ["a.numbers", "a", "a.", ".pdf.exe"])
def test_an_unsupported_kind_is_refused_by_name(name: str) -> None:
    with pytest.raises(
        ExtractionError, match="give text, Markdown, HTML, PDF, CSV, or Word, Excel"
    ):
        kind_of(name, "binary/octet-stream")


def test_requests_may_have_every_type_that_is_read() -> None:
    assert {*get_args(ContentType)} == {*CONTENT_TYPES}


def test_text_keeps_its_paragraphs_and_loses_invisible_characters() -> None:
    document = extract(b"\xef\xbb\xbfone\r\ntwo  \n\n\n\nthree\x00\x07", "text")
    assert document.section(0) == "one\ntwo\n\nthree"
    assert document.title is None


def test_utf_16_with_its_mark_is_read() -> None:
    assert extract("Größe €".encode("utf-16"), "text").section(0) == "Größe €"


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("Größe 5 €".encode("cp1252"), ""),
        ("Größe 5 €".encode("cp1252"), "ISO-8859-1"),
        ("Größe 5 €".encode(), ""),
        ("Größe 5 €".encode(), "ascii"),
        ("Größe 5 €".encode(), "hex"),
        ("Größe 5 €".encode("utf-16"), ""),
        ("Größe 5 €".encode("utf-8-sig"), ""),
        ("Größe 5 €".encode("cp1250"), "windows-1250"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_has(content: bytes, charset: str) -> None:
    assert extract(content, "text", charset).section(0) == "Größe 5 €"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"abc\xff\x00\x01", "it is not text"),
        (b"\x1f\x8b\x08text", "compressed"),
        (b"PK\x03\x04", "document is damaged: open it"),
        (b"\x89PNG\r\n", "an image"),
    ],
)
@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
def test_what_is_not_text_is_refused_by_its_bytes(content: bytes, reason: str, kind: Kind) -> None:
    with pytest.raises(ExtractionError, match=reason):
        extract(content, kind)


def test_a_pdf_is_read_whatever_its_name_says_and_nothing_else_is_a_pdf() -> None:
    assert extract(make_pdf(["text"]), "html").section(0) == "text"
    with pytest.raises(ExtractionError, match="not a PDF"):
        extract(b"<p>text", "pdf")


def test_text_is_normalised() -> None:
    text = "mis\ufb01t\u00ad soft\u200b\u202e a\u00a0b e\u0301 \u0915\u094d\u200d\u0937"
    assert (
        extract(text.encode(), "text").section(0)
        == "misfit soft a b \u00e9 \u0915\u094d\u200d\u0937"
    )


def test_markdown_takes_its_title_from_the_first_heading() -> None:
    document = extract(b"intro\n\n# Emergency *funds* #\n\n# Other\n", "markdown")
    assert document.title == "Emergency funds"
    assert "# Other" in document.section(0)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('---\ntitle: "Front matter"\ndate: 2026\n---\n# Heading\n', "Front matter"),
        ("Setext *heading*\n===\n\ntext", "Setext heading"),
        ("```sh\n# a comment\n```\n\n## [Second](https://a.example) level\n", "Second level"),
        ("~~~\n# one\n```\n# two\n~~~\n\n# Three\n", "Three"),
        ("text\n\n---\n\nmore", None),
        ("no heading", None),
    ],
)
def test_the_title_of_markdown_is_what_a_reader_calls_it(text: str, title: str | None) -> None:
    document = extract(text.encode(), "markdown")
    assert document.title == title
    assert "date: 2026" not in document.section(0)


def test_html_gives_the_text_that_a_reader_sees() -> None:
    page = b"""<!doctype html><html><head><title> Index
      funds </title><style>p{}</style><body><script>evil()</script>
      <h1>Funds</h1><p>One <b>bold</b>   word.<br>Next line.</p><ul><li>a<li>b</ul>
      <template>no</template></body>"""
    document = extract(page, "html")
    assert document.title == "Index funds"
    assert [line for line in document.section(0).splitlines() if line] == [
        "# Funds", "One bold word.", "Next line.", "a", "b",
    ]  # fmt: skip


def test_the_main_content_of_a_page_is_its_text() -> None:
    page = b"""<header><nav><a>Home</a> <a>Products</a></nav></header>
      <div class="cookie-banner">We use cookies.</div><div hidden>secret</div>
      <div style="color:red; display: none">secret</div><p aria-hidden="true">secret</p>
      <main><h1>Funds</h1><p>Index funds follow an index.</p></main>
      <aside>Subscribe!</aside><footer>Imprint</footer>"""
    assert extract(page, "html").section(0) == "# Funds\n\nIndex funds follow an index."


def test_headings_of_a_page_are_marked_with_their_level() -> None:
    page = b"<h1>Funds</h1><h2><a>Fees <b>2026</b></a></h2><p>Few.</p><h3><svg></svg></h3><p>#</p>"
    lines = extract(page, "html").section(0).split("\n")
    assert [line for line in lines if line] == ["# Funds", "## Fees 2026", "Few."]


def test_a_page_whose_text_is_inside_its_navigation_is_read_as_a_whole() -> None:
    page = b"<nav><p>Everything about bonds is in here.</p></nav><main><p>Bonds</p></main>"
    assert "Everything about bonds" in extract(page, "html").section(0)


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (b"<title>Index funds | ACME Bank</title><h1>Index funds</h1>", "Index funds"),
        (b"<svg><title>Logo</title></svg><h1>Bonds</h1>", "Bonds"),
        (b"<title>ACME</title><h1>Bonds</h1>", "ACME"),
        (b"<p>text</p>", None),
    ],
)
def test_the_title_of_a_page_is_what_a_reader_calls_it(head: bytes, title: str | None) -> None:
    assert extract(head + b"<p>text</p>", "html").title == title


def test_a_row_of_a_table_stays_one_line_below_the_names_of_its_columns() -> None:
    page = b"""<table><caption>Fees</caption>
      <thead><tr><th>Account</th><th>Rate</th><th>Minimum</th></tr></thead>
      <tr><td rowspan=2>Saver</td><td>4 | 5 %</td><td>$1,000</td></tr>
      <tr><td>6 %</td><td></td></tr></table>
      <table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>
      <table><tr><td><table><tr><td>nested</td></tr></table></td></tr></table>"""
    assert [line for line in extract(page, "html").section(0).splitlines() if line] == [
        "Fees",
        "| Account | Rate | Minimum |",
        "| --- | --- | --- |",
        "| Saver | 4 \\| 5 % | $1,000 |",
        "| Saver | 6 % | |",
        "a | b",
        "c | d",
        "nested",
    ]


def test_the_first_row_of_a_table_names_its_columns_if_numbers_are_below_it() -> None:
    page = (
        b"<table><tr><td>Year</td><td>2025</td><td>2026</td></tr>"
        b"<tr><td>Fee</td><td>$4</td><td>$5</td></tr></table>"
    )
    assert extract(page, "html").section(0).splitlines() == [
        "| Year | 2025 | 2026 |",
        "| --- | --- | --- |",
        "| Fee | $4 | $5 |",
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_csv_file_is_a_table_whatever_separates_its_fields(mark: str) -> None:
    rows = [["Account", "Rate", "Note"], ["Saver", '"4\n%"', '"a, b; c"'], ["Bond", "5", ""]]
    text = "\r\n".join(mark.join(row) for row in rows)
    assert extract(text.encode("utf-8-sig"), "csv").section(0).splitlines() == [
        "| Account | Rate | Note |",
        "| --- | --- | --- |",
        "| Saver | 4 % | a, b; c |",
        "| Bond | 5 |  |",
    ]


def test_a_csv_file_without_names_or_with_one_column_is_read_line_by_line() -> None:
    assert extract(b"1,2\n3,4\n", "csv").section(0) == "1 | 2\n3 | 4"
    assert extract(b"one\ntwo\n", "csv").section(0) == "one\ntwo"


def test_a_field_that_never_ends_is_refused_with_the_reason() -> None:
    with pytest.raises(ExtractionError, match=r"CSV is damaged .*save it again"):
        extract(b'a,"' + b"b" * 200_000, "csv")


def test_nested_tables_take_linear_time_in_no_more_than_the_parsers_limit() -> None:
    with pytest.raises(ExtractionError, match="no text"):
        extract(b"<table><tr><td>" * 5000, "html")


def test_html_declares_its_encoding() -> None:
    page = "<meta charset=iso-8859-1><p>Größe".encode("iso-8859-1")
    assert extract(page, "html").section(0) == "Größe"


def test_deeply_nested_html_is_read() -> None:
    assert extract(b"<div>" * 50_000 + b"deep", "html").section(0) == "deep"


def test_pdf_is_read_page_by_page() -> None:
    document = extract(make_pdf(["first page", "", "third page"], title="A report"), "pdf")
    assert (len(document), document.title) == (3, "A report")
    assert [document.section(index) for index in range(3)] == ["first page", "", "third page"]


def test_headers_and_footers_of_pages_are_left_out_and_divided_words_are_joined() -> None:
    bodies = ["Savings earn", "Loans cost", "Funds hold", "Bonds pay", "Taxes are due in"]
    pages = [f"ACME Report\n{body} inter-\nest\nPage {n} of 5" for n, body in enumerate(bodies, 1)]
    document = extract(make_pdf(pages, title="untitled"), "pdf")
    texts = [document.section(index) for index in range(5)]
    assert texts == [f"{body} interest" for body in bodies]
    assert document.title == "ACME Report"


@pytest.mark.parametrize(
    ("page", "reason"), [("/g18/g152/g3 /g7/g9", "fonts"), (SCAN, "image without text: run OCR")]
)
def test_a_page_that_cannot_be_read_fails_alone_with_the_reason(page: str, reason: str) -> None:
    document = extract(make_pdf([page, "text", ""]), "pdf")
    with pytest.raises(ExtractionError, match=reason):
        document.section(0)
    assert [document.section(1), document.section(2), document.title] == ["text", "", None]


def _form(page: str, *fields: dict[str, str]) -> bytes:
    writer = PdfWriter()
    writer.append(BytesIO(make_pdf([page])))
    made = []
    for values in fields:
        field = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Annot"),
                NameObject("/Subtype"): NameObject("/Widget"),
                NameObject("/Rect"): RectangleObject((10, 10, 100, 30)),
            }
        )
        for key, value in values.items():
            kind = NameObject if value.startswith("/") else TextStringObject
            field[NameObject(key)] = kind(value)
        made.append(writer._add_object(field))
    writer.pages[0][NameObject("/Annots")] = ArrayObject(made)
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject(
        {NameObject("/Fields"): ArrayObject(made)}
    )
    content = BytesIO()
    writer.write(content)
    return content.getvalue()


def test_filled_fields_of_a_form_are_read_with_their_names() -> None:
    fields = (
        {"/FT": "/Tx", "/T": "Monthly income", "/V": "5,000"},
        {"/FT": "/Tx", "/T": "f1_02", "/TU": "Name of the bank", "/V": "ACME"},
        {"/FT": "/Btn", "/T": "Married", "/V": "/Yes", "/AS": "/Yes"},
        {"/FT": "/Btn", "/T": "Retired", "/V": "/Off", "/AS": "/Off"},
        {"/FT": "/Tx", "/T": "Left blank"},
    )
    filled = ["Monthly income: 5,000", "Name of the bank: ACME", "Married: Yes"]
    assert extract(_form("Application", *fields), "pdf").section(0) == "\n".join(
        ["Application", *filled]
    )
    # The form around them may be a scan.
    assert extract(_form(SCAN, *fields), "pdf").section(0) == "\n".join(filled)


def test_an_encrypted_pdf_is_refused_with_the_reason() -> None:
    writer = PdfWriter()
    writer.append(BytesIO(make_pdf(["secret"])))
    writer.encrypt("password", algorithm="AES-256")
    content = BytesIO()
    writer.write(content)
    with pytest.raises(ExtractionError, match="encrypted"):
        extract(content.getvalue(), "pdf")


def test_pdf_with_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.pdf.MAX_PAGES", 2)
    with pytest.raises(ExtractionError, match="3 pages"):
        extract(make_pdf(["a", "b", "c"]), "pdf")


@pytest.mark.parametrize("kind", ["text", "markdown", "html", "csv"])
def test_size_is_bounded_before_parsing(kind: Kind) -> None:
    with pytest.raises(ExtractionError, match="split it"):
        extract(b"a" * (MAX_TEXT_BYTES + 1), kind)


@pytest.mark.parametrize(
    ("kind", "content"),
    [("text", b" \n\x00 "), ("markdown", b""), ("html", b"<p> </p><script>x</script>")],
)
def test_a_document_without_text_is_refused_with_the_reason(kind: Kind, content: bytes) -> None:
    with pytest.raises(ExtractionError, match="no text"):
        extract(content, kind)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(get_args(Kind)))
def test_any_bytes_are_read_or_refused(content: bytes, kind: Kind) -> None:
    try:
        document = extract(content, kind)
        for index in range(len(document)):
            document.section(index).encode()
    except ExtractionError:
        pass


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_pdf_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(make_pdf(["some text", "more text"], title="t"))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        document = extract(bytes(content), "pdf")
        for index in range(len(document)):
            document.section(index).encode()
    except ExtractionError:
        pass


class Sections:
    """An `ExtractedText` with these sections."""

    title: str | None = None
    paged = True

    def __init__(self, sections: list[str]) -> None:
        self._sections = sections

    def __len__(self) -> int:
        return len(self._sections)

    def section(self, index: int) -> str:
        return self._sections[index]


_words = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=120).map(clean)


@settings(max_examples=300, deadline=None)
@given(st.lists(_words, min_size=1, max_size=8), st.integers(10, 80))
def test_parts_contain_every_character_once_and_are_never_too_long(
    sections: list[str], characters: int
) -> None:
    document = Sections(sections)
    place: tuple[int, int] | None = (0, 0)
    found = ""
    while place is not None:
        part = take_part(document, *place, max_characters=characters)
        assert len(part.text) <= characters
        assert part.following is None or part.following > place
        found += part.text
        place = part.following
    assert "".join(found.split()) == "".join("".join(sections).split())


def test_a_part_ends_at_the_end_of_a_paragraph() -> None:
    text = "a" * 70 + "\n\n" + "b" * 60
    part = take_part(Sections([text]), 0, 0, max_characters=100)
    assert part.text == "a" * 70
    assert part.following is not None
    assert take_part(Sections([text]), *part.following, max_characters=100).text == "b" * 60


def test_a_part_from_inside_a_table_has_its_headings_and_its_header_above_it() -> None:
    header = "| Account | Rate |\n| --- | --- |\n"
    rows = [f"| Account {number:02} | {number} % |\n" for number in range(30)]
    document = Sections([f"# Rates\n\n## Savings\n\n{header}{''.join(rows)}"])
    place: tuple[int, int] | None = (0, 0)
    parts = []
    while place is not None:
        parts.append(take_part(document, *place, max_characters=250))
        place = parts[-1].following
    assert len(parts) > 2
    assert "".join(f"{part.text}\n" for part in parts).endswith("".join(rows))
    for part in parts[1:]:
        assert part.with_context().startswith(f"# Rates\n## Savings\n\n{header}| Account")
        assert len(part.with_context()) <= 250


def test_a_part_belongs_to_one_page() -> None:
    document = Sections(["a" * 40, "b" * 40, "c" * 100])
    places: list[tuple[int, int] | None] = [(0, 0)]
    parts = []
    while (place := places[-1]) is not None:
        parts.append(take_part(document, *place, max_characters=90))
        places.append(parts[-1].following)
    assert [part.section for part in parts] == [0, 1, 2, 2]
