"""Text from HTML, extracted with Beautiful Soup."""

import threading
import warnings
from typing import TYPE_CHECKING, Final

from runner.text import ExtractionError, WholeText, clean, clean_title

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

_BLOCKS: Final = {
    "address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
_INVISIBLE: Final = {"script", "style", "noscript", "template", "svg", "math", "title"}

# `warnings.catch_warnings` changes the filters of the whole process, so one thread at a time.
_lock = threading.Lock()


def extract_html(content: bytes) -> WholeText:
    """Return the visible text of a page.

    Raises:
        ExtractionError: The page is damaged or has no text.
    """
    from bs4 import BeautifulSoup

    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            soup = BeautifulSoup(content, "html.parser")
            title = clean_title(soup.title.get_text() if soup.title else "") or clean_title(
                soup.h1.get_text() if soup.h1 else ""
            )
            return WholeText(clean(_visible_text(soup)), title)
        except ExtractionError:
            raise
        except (RecursionError, AssertionError, ValueError) as error:
            raise ExtractionError(f"the HTML cannot be read ({type(error).__name__})") from error


def _visible_text(soup: "BeautifulSoup") -> str:
    from bs4 import CData, Tag
    from bs4.element import NavigableString

    pieces: list[str] = []
    # With a stack: bs4's own traversal takes quadratic time on deeply nested pages.
    stack: list[object] = [soup]
    while stack:
        node = stack.pop()
        if isinstance(node, Tag):
            if node.name in _INVISIBLE:
                continue
            if node.name in _BLOCKS:
                pieces.append("\n")
                stack.append("\n")
            stack.extend(reversed(node.contents))
        elif type(node) in {NavigableString, CData, str}:  # not comments or declarations
            pieces.append(str(node))
    lines = "".join(pieces).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)
