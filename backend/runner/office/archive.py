"""Office documents as archives: zip files of XML, checked before any of it is parsed."""

import posixpath
import zlib
from collections.abc import Callable, Iterator, Set
from io import BytesIO
from typing import Final, Literal
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from runner.text import ExtractionError, clean_title

Program = Literal["Word", "Excel", "PowerPoint"]

MAX_MEMBERS: Final = 10_000
MAX_XML_BYTES: Final = 64 * 2**20
MAX_BYTES: Final = 512 * 2**20
"""The largest sum of all members, of which pictures are never read."""
MAX_RATIO: Final = 300
_SMALL_BYTES: Final = 2**20  # which may compress as well as it likes

_MEMBER: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 0x1
_NOT_READ: Final = (".htm", ".html", ".xhtml", ".mht", ".svg")  # which may declare a type
_STRICT: Final = b"http://purl.oclc.org/ooxml/"
_CHUNK_BYTES: Final = 4096
_CONTENT_TYPES: Final = "[Content_Types].xml"
# Of documents, templates and slide shows, with macros (which are never run) or without.
_MAIN_PARTS: Final[tuple[tuple[str, Program], ...]] = (
    ("wordprocessingml.document.main+xml", "Word"),
    ("wordprocessingml.template.main+xml", "Word"),
    ("ms-word.document.macroenabled.main+xml", "Word"),
    ("ms-word.template.macroenabledtemplate.main+xml", "Word"),
    ("spreadsheetml.sheet.main+xml", "Excel"),
    ("spreadsheetml.template.main+xml", "Excel"),
    ("ms-excel.sheet.macroenabled.main+xml", "Excel"),
    ("ms-excel.template.macroenabled.main+xml", "Excel"),
    ("presentationml.presentation.main+xml", "PowerPoint"),
    ("presentationml.slideshow.main+xml", "PowerPoint"),
    ("presentationml.template.main+xml", "PowerPoint"),
    ("ms-powerpoint.presentation.macroenabled.main+xml", "PowerPoint"),
    ("ms-powerpoint.slideshow.macroenabled.main+xml", "PowerPoint"),
)
_RELATION: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ID: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TITLE: Final = "{http://purl.org/dc/elements/1.1/}title"
DAMAGED: Final = "the document is damaged: open it in its own program and save it again"


class OfficeArchive:
    """The parts of an Office document.

    Attributes:
        content: The whole file.
        program: What opens the document.
        main_part: The name of the part that the others belong to.

    Raises:
        ExtractionError: It is no Office document that can be read, it is damaged or encrypted, or
            it would unpack to more than the limits.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        # Before `zipfile` makes an object of each member.
        if content.count(_MEMBER) > MAX_MEMBERS:
            raise ExtractionError(f"it has over {MAX_MEMBERS:,} files in it: split it")
        self._zip = translate_errors(lambda: ZipFile(BytesIO(content)))
        self._names = frozenset(self._zip.namelist())
        self._check_sizes()
        # This member first, because the main part is found by parsing it.
        translate_errors(lambda: self._refuse_declarations({_CONTENT_TYPES}))
        self.program, self.main_part = self._main_part()
        translate_errors(lambda: self._refuse_declarations(self._names - {_CONTENT_TYPES}))

    def read(self, part: str) -> bytes:
        """Return the bytes of a part; none if there is no such part."""
        if part not in self._names:
            return b""
        return translate_errors(lambda: self._zip.read(part))

    def xml(self, part: str) -> Element | None:
        """Return the root of a part, or None if there is no such part."""
        content = self.read(part)
        return translate_errors(lambda: fromstring(content)) if content else None  # noqa: S314

    def related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the name and the kind of each part that a part refers to, by the id used in it."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, tuple[str, str]] = {}
        for one in root.iter(_RELATION) if root is not None else ():
            if one.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", "")))
                kind = one.get("Type", "").rpartition("/")[2]
                found[one.get("Id", "")] = target.removeprefix("/"), kind
        return found

    def listed(self, tag: str) -> Iterator[tuple[Element, str, str]]:
        """Yield each element of a kind in the main part that refers to a part.

        Args:
            tag: The elements' tag.

        Yields:
            The element, and the name and the kind of its part.
        """
        parts = self.related(self.main_part)
        root = self.xml(self.main_part)
        for one in root.iter(tag) if root is not None else ():
            if found := parts.get(one.get(_ID, "")):
                yield one, *found

    def title(self) -> str | None:
        """Return the title in the document's properties."""
        root = self.xml("docProps/core.xml")
        return clean_title(root.findtext(_TITLE) or "") if root is not None else None

    def with_part(self, part: str, content: bytes) -> bytes:
        """Return the document with another content of one part, without pictures."""
        changed = BytesIO()
        with ZipFile(changed, "w") as target:
            for name in self._zip.namelist():
                if name == part:
                    target.writestr(name, content)
                elif _is_xml(name):
                    target.writestr(name, self.read(name))
        return changed.getvalue()

    def _check_sizes(self) -> None:
        members = self._zip.infolist()
        if any(one.flag_bits & _ENCRYPTED for one in members):
            raise ExtractionError("it is encrypted: remove the password and upload it again")
        everything = sum(one.file_size for one in members)
        xml = sum(one.file_size for one in members if _is_xml(one.filename))
        if everything > MAX_BYTES or xml > MAX_XML_BYTES:
            raise ExtractionError(f"it unpacks to {max(everything, xml):,} bytes: split it")
        packed = len(self.content)
        if everything > max(_SMALL_BYTES, packed * MAX_RATIO):
            raise ExtractionError(
                f"it unpacks to over {MAX_RATIO} times its size, like a file made to exhaust "
                "memory: open it in its own program and save it again"
            )

    def _main_part(self) -> tuple[Program, str]:
        types = self.xml(_CONTENT_TYPES)
        for one in types if types is not None else ():
            media_type = one.get("ContentType", "").lower()
            for ending, program in _MAIN_PARTS:
                if media_type.endswith(ending) and one.get("PartName"):
                    part = one.get("PartName", "").removeprefix("/")
                    if _STRICT in self.read(part)[:_CHUNK_BYTES]:
                        raise ExtractionError(
                            "it is a Strict Open XML document: save it as an ordinary one"
                        )
                    return program, part
        if b"sheet.binary" in self.read(_CONTENT_TYPES):
            raise ExtractionError("it is a binary workbook (xlsb): save it as xlsx")
        if self.read("mimetype").startswith(b"application/vnd.oasis.opendocument"):
            raise ExtractionError("it is an OpenDocument file: save it as docx, xlsx or pptx")
        raise ExtractionError("it is a zip archive: unpack it and upload the documents in it")

    def _refuse_declarations(self, names: Set[str]) -> None:
        """Refuse declarations of entities in some members, which no Office program writes.

        They come before the first element, so that little of each part is read.
        """
        for member in self._zip.infolist():
            name = member.filename
            if name not in names or name.lower().endswith(_NOT_READ):
                continue
            with self._zip.open(member) as part:
                if _declares_type(part.read):
                    raise ExtractionError(
                        "its XML declares entities, which may hide a file made to exhaust memory: "
                        "open it in its own program and save it again"
                    )


def translate_errors[R](read: Callable[[], R]) -> R:
    """Return what a reader returns.

    Raises:
        ExtractionError: The reader failed, because the document is damaged.
    """
    try:
        return read()
    except (ExtractionError, MemoryError):
        raise
    except RecursionError as error:
        raise ExtractionError("its parts are nested too deeply: simplify it") from error
    except (
        BadZipFile, zlib.error, ParseError, expat.ExpatError, ArithmeticError, AttributeError,
        AssertionError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise ExtractionError(DAMAGED) from error


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels", ".vml"))


def _declares_type(read: Callable[[int], bytes]) -> bool:
    parser = expat.ParserCreate()
    seen: list[str] = []
    parser.StartDoctypeDeclHandler = lambda *_: seen.append("type")
    parser.StartElementHandler = lambda *_: seen.append("element")
    while not seen and (chunk := read(_CHUNK_BYTES)):
        try:
            parser.Parse(chunk)
        except expat.ExpatError:
            break  # a picture
    return seen[:1] == ["type"]
