"""What is checked before an Office document is parsed."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.extraction import Kind, extract
from runner.office import archive
from runner.office.tests.files import WORD, package, paragraph, shape, slides, word
from runner.text import ExtractionError

_BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>"
)


def zipped(**members: bytes) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as target:
        for name, member in members.items():
            target.writestr(name, member)
    return content.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_declares_entities_is_refused_in_every_encoding(encoding: str) -> None:
    content = package(WORD, "word/document.xml", {"word/document.xml": _BOMB.encode(encoding)})
    with pytest.raises(ExtractionError, match="declares entities"):
        extract(content, "office")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("body", ["&b;", "<Types>&undeclared;"])
def test_the_list_of_types_is_checked_before_it_is_parsed(encoding: str, body: str) -> None:
    bomb = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Types>' + body
    with pytest.raises(ExtractionError, match="declares entities"):
        extract(zipped(**{"[Content_Types].xml": bomb.encode(encoding)}), "office")


def test_a_document_that_unpacks_to_much_more_than_its_size_is_refused_unread() -> None:
    content = package(WORD, "word/document.xml", {"word/media/a.bin": b"\0" * 2**22})
    with pytest.raises(ExtractionError, match="300 times its size"):
        extract(content, "office")


def test_the_bytes_and_the_number_of_members_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = word(paragraph("text"))
    with monkeypatch.context() as patch:
        patch.setattr(archive, "MAX_XML_BYTES", 100)
        with pytest.raises(ExtractionError, match=r"unpacks to .* bytes: split it"):
            extract(content, "office")
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(ExtractionError, match="over 2 files"):
        extract(content, "office")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(a=b"text"), "zip archive: unpack it"),
        (zipped(mimetype=b"application/vnd.oasis.opendocument.text"), "OpenDocument file: save"),
        (
            package("application/vnd.ms-excel.sheet.binary.macroEnabled.main", "xl/a.bin", {}),
            "xlsb.*save it as xlsx",
        ),
        (
            package(WORD, "d.xml", {"d.xml": '<a xmlns="http://purl.oclc.org/ooxml/x"/>'}),
            "Strict Open XML",
        ),
        (word(paragraph("text"))[:-200], "damaged: open it"),
        (package(WORD, "word/document.xml", {"word/document.xml": "<w:document"}), "damaged"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "remove the password"),
        (b"\xd0\xcf\x11\xe0 a .doc", "old Office document: save it as docx"),
        (b"plain text", "not an Office document"),
        (word(""), "no text"),
        (slides(), "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ExtractionError, match=reason):
        extract(content, "office")


@pytest.mark.parametrize("kind", ["text", "html", "csv", "pdf"])
def test_an_office_document_is_known_by_its_bytes(kind: Kind) -> None:
    assert extract(word(paragraph("Some text")), kind).section(0) == "Some text"


def test_macros_are_ignored() -> None:
    content = package(
        "application/vnd.ms-word.document.macroEnabled.main+xml",
        "word/document.xml",
        {
            "word/document.xml": archive.OfficeArchive(word(paragraph("text"))).read(
                "word/document.xml"
            ),
            "word/vbaProject.bin": b"macro",
        },
    )
    assert extract(content, "office").section(0) == "text"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_document_is_read_or_refused(data: st.DataObject) -> None:
    made = data.draw(st.sampled_from([word(paragraph("text")), slides(shape("text"))]))
    content = bytearray(made)
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        document = extract(bytes(content), "office")
        for index in range(len(document)):
            document.section(index).encode()
    except ExtractionError:
        pass
