"""The sample documents: short texts on personal finance, each a Markdown file with front matter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("corpus")

QUESTION = (
    "How large should an emergency fund be, and should I pay off credit card debt before I invest?"
)


def documents(folder: Path = _FOLDER) -> list[dict[str, Any]]:
    """All documents as bodies for `PUT /documents` of s3vector, sorted by id."""
    return [_document(path) for path in sorted(folder.glob("*.md"))]


def batches(items: list[dict[str, Any]], size: int = 10) -> Iterator[list[dict[str, Any]]]:
    """Split `items` into lists of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _document(path: Path) -> dict[str, Any]:
    _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in head.strip().splitlines())
    title = fields.pop("title")
    return {"id": path.stem, "title": title, "text": text.strip(), "metadata": fields}
