"""Small Office documents, written part by part."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

OFFICE_TYPE = "application/vnd.openxmlformats-officedocument"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    f'xmlns:r="{_RELATIONS}"'
)
WORD = f"{OFFICE_TYPE}.wordprocessingml.document.main+xml"
POWERPOINT = f"{OFFICE_TYPE}.presentationml.presentation.main+xml"


def package(main_type: str, main_part: str, parts: Mapping[str, str | bytes]) -> bytes:
    """Return an Office document of these parts."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as target:
        target.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/{main_part}" ContentType="{main_type}"/></Types>',
        )
        target.writestr("_rels/.rels", relations(("officeDocument", main_part)))
        for name, part in parts.items():
            target.writestr(name, part)
    return content.getvalue()


def relations(*targets: tuple[str, str]) -> str:
    """Return a part of relations; the ids are `r1`, `r2` and so on."""
    found = "".join(
        f'<Relationship Id="r{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{found}</Relationships>"
    )


def properties(title: str) -> str:
    """Return the part with the title of a document."""
    return (
        '<cp:coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cp='
        '"http://schemas.openxmlformats.org/package/2006/metadata/core-properties">'
        f"<dc:title>{title}</dc:title></cp:coreProperties>"
    )


def word(body: str, *, title: str = "") -> bytes:
    """Return a docx with this body; the styles are `Title`, `Heading1` and `Heading2`."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name.replace(" ", "")}">'
        f'<w:name w:val="{name}"/></w:style>'
        for name in ("Title", "Heading 1", "Heading 2")
    )
    return package(
        WORD,
        "word/document.xml",
        {
            "word/document.xml": f"<w:document {_NAMES}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations(("styles", "styles.xml")),
            "word/styles.xml": f"<w:styles {_NAMES}>{styles}</w:styles>",
            "docProps/core.xml": properties(title),
        },
    )


def paragraph(text: str, style: str = "", run: str = "") -> str:
    """Return a paragraph of Word; `run`: the properties of its only run."""
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:rPr>{run}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def word_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Word."""
    lines = (
        f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in row)}</w:tr>" for row in rows
    )
    return f"<w:tbl>{''.join(lines)}</w:tbl>"


def slides(*shown: str, notes: str = "", hidden: Sequence[int] = (), title: str = "") -> bytes:
    """Return a pptx with these trees of shapes; the notes are those of the first slide."""
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in range(1, len(shown) + 1))
    parts: dict[str, str | bytes] = {
        "ppt/presentation.xml": f"<p:presentation {_NAMES}><p:sldIdLst>{ids}</p:sldIdLst>"
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            *(("slide", f"slides/slide{n}.xml") for n in range(1, len(shown) + 1))
        ),
        "docProps/core.xml": properties(title),
    }
    for number, tree in enumerate(shown, start=1):
        state = ' show="0"' if number in hidden else ""
        parts[f"ppt/slides/slide{number}.xml"] = (
            f"<p:sld {_NAMES}{state}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:sld>"
        )
    if notes:
        parts["ppt/slides/_rels/slide1.xml.rels"] = relations(
            ("notesSlide", "../notesSlides/notesSlide1.xml")
        )
        parts["ppt/notesSlides/notesSlide1.xml"] = (
            f"<p:notes {_NAMES}><p:cSld><p:spTree>{shape('3', 'sldNum')}{shape(notes, 'body')}"
            "</p:spTree></p:cSld></p:notes>"
        )
    return package(POWERPOINT, "ppt/presentation.xml", parts)


def shape(text: str, kind: str = "", hidden: str = "0") -> str:
    """Return a shape with a paragraph for each line; `kind`: that of its placeholder."""
    placeholder = f'<p:ph type="{kind}"/>' if kind else ""
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="s" hidden="{hidden}"/><p:cNvSpPr/>'
        f"<p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>"
    )


def slide_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of PowerPoint with a header; a cell `&lt;` merges with the one before it."""
    lines = ""
    for row in rows:
        cells = "".join(
            '<a:tc hMerge="1"/>'
            if text == "&lt;"
            else f"<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"
            for text in row
        )
        lines += f"<a:tr>{cells}</a:tr>"
    return (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="2" name="t"/></p:nvGraphicFramePr>'
        f'<a:graphic><a:graphicData><a:tbl><a:tblPr firstRow="1"/>{lines}</a:tbl></a:graphicData>'
        "</a:graphic></p:graphicFrame>"
    )
