"""Extracting text from every kind of document, and from damaged ones."""

from io import BytesIO
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter

from runner.extraction import MAX_TEXT_BYTES, Kind, extract, kind_of
from runner.splitting import take_part
from runner.tests.fakes import make_pdf
from runner.text import ExtractionError, clean


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("uploads/a.txt", "", "text"),
        ("uploads/a.MD", "application/octet-stream", "markdown"),
        ("uploads/v1.2/page.htm", "", "html"),
        ("uploads/report.pdf", "text/plain", "pdf"),
        ("uploads/no-suffix", "text/html; charset=utf-8", "html"),
        ("uploads/dotted.folder/file", "application/pdf", "pdf"),
    ],
)
def test_the_kind_follows_from_the_name_or_else_the_media_type(
    name: str, media_type: str, kind: Kind
) -> None:
    assert kind_of(name, media_type) == kind


@pytest.mark.parametrize("name", ["a.docx", "a", "a.", ".pdf.exe"])
def test_an_unsupported_kind_is_refused_by_name(name: str) -> None:
    with pytest.raises(ExtractionError, match="give text, Markdown, HTML or PDF"):
        kind_of(name, "binary/octet-stream")


def test_text_keeps_its_paragraphs_and_loses_invisible_characters() -> None:
    document = extract(b"\xef\xbb\xbfone\r\ntwo  \n\n\n\nthree\x00\x07", "text")
    assert document.section(0) == "one\ntwo\n\nthree"
    assert document.title is None


def test_utf_16_with_its_mark_is_read() -> None:
    assert extract("Größe €".encode("utf-16"), "text").section(0) == "Größe €"


def test_an_encoding_error_gives_its_position() -> None:
    with pytest.raises(ExtractionError, match="not UTF-8 at byte 3"):
        extract(b"abc\xff\xfe", "text")


def test_markdown_takes_its_title_from_the_first_heading() -> None:
    document = extract(b"intro\n\n# Emergency *funds* #\n\n# Other\n", "markdown")
    assert document.title == "Emergency *funds*"
    assert "# Other" in document.section(0)


def test_html_gives_the_text_that_a_reader_sees() -> None:
    page = b"""<!doctype html><html><head><title> Index
      funds </title><style>p{}</style><body><script>evil()</script>
      <h1>Funds</h1><p>One <b>bold</b>   word.<br>Next line.</p><ul><li>a<li>b</ul>
      <template>no</template></body>"""
    document = extract(page, "html")
    assert document.title == "Index funds"
    assert [line for line in document.section(0).splitlines() if line] == [
        "Funds", "One bold word.", "Next line.", "a", "b",
    ]  # fmt: skip


def test_html_declares_its_encoding() -> None:
    page = "<meta charset=iso-8859-1><p>Größe".encode("iso-8859-1")
    assert extract(page, "html").section(0) == "Größe"


def test_deeply_nested_html_is_read() -> None:
    assert extract(b"<div>" * 50_000 + b"deep", "html").section(0) == "deep"


def test_pdf_is_read_page_by_page() -> None:
    document = extract(make_pdf(["first page", "", "third page"], title="A report"), "pdf")
    assert (len(document), document.title) == (3, "A report")
    assert [document.section(index) for index in range(3)] == ["first page", "", "third page"]


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


@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
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
@given(st.binary(max_size=400), st.sampled_from(["text", "markdown", "html", "pdf"]))
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
@given(st.lists(_words, max_size=8), st.integers(10, 80), st.randoms(use_true_random=False))
def test_parts_contain_every_character_once_and_are_never_too_long(
    sections: list[str], characters: int, chance: Random
) -> None:
    document = Sections(sections)
    place: tuple[int, int] | None = (0, 0)
    found = ""
    while place is not None:
        part = take_part(
            document,
            *place,
            max_characters=characters,
            should_stop=lambda: chance.random() < 0.3,
        )
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


def test_a_part_names_its_pages() -> None:
    document = Sections(["a" * 40, "b" * 40, "c" * 40])
    part = take_part(document, 0, 0, max_characters=90)
    assert (part.first_section, part.last_section, part.following) == (0, 1, (2, 0))


def test_a_part_ends_early_if_time_is_short() -> None:
    document = Sections(["one", "two", "three"])
    part = take_part(document, 0, 0, max_characters=90, should_stop=lambda: True)
    assert (part.text, part.following) == ("one", (1, 0))
