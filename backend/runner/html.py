"""Text from HTML, extracted with Beautiful Soup."""

import re
import threading
import warnings
from typing import TYPE_CHECKING, Final

from runner.decoding import declared_in_html, decode
from runner.html_tables import table_of
from runner.text import ExtractionError, WholeText, clean, clean_title

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_BLOCKS: Final = {
    "address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
# As in Markdown, so that headings are known as such wherever the text is read.
_HEADINGS: Final = {f"h{level}": f"{'#' * level} " for level in range(1, 7)}
_INVISIBLE: Final = {"script", "style", "noscript", "template", "svg", "math", "title"}
_HIDING: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

# What surrounds a page's content on every page of its site.
_SURROUNDINGS: Final = {"nav", "footer", "aside", "dialog"}
_SURROUNDING_ROLES: Final = {
    "navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog",
}  # fmt: skip
_NOTICES: Final = re.compile(
    r"(^|[-_ '])(cookies?|consent|gdpr|breadcrumbs?|skip-?link)", re.IGNORECASE
)
_PARTS: Final = re.compile(r"\s+[|\u00b7\u00bb\u2013\u2014-]\s+|:\s+")
_LEAST_SHARE: Final = 0.2

# `warnings.catch_warnings` changes the filters of the whole process, so one thread at a time.
_lock = threading.Lock()


def extract_html(content: bytes, declared: str = "") -> WholeText:
    """Return the text of a page's main content, as a reader sees it.

    Navigation, footers and notices are left out, unless most of the page is inside them.

    Args:
        content: The page.
        declared: The charset of its media type; may be empty.

    Raises:
        ExtractionError: The page is damaged or has no text.
    """
    return read_html(decode(content, declared or declared_in_html(content)))


def read_html(text: str, *, first_row_names: bool = False) -> WholeText:
    """Return the text of a page, like `extract_html`.

    Args:
        text: The page.
        first_row_names: Whether the first row of a table names the columns if it looks so,
            although it is not marked as a header.

    Raises:
        ExtractionError: The page is damaged or has no text.
    """
    from bs4 import BeautifulSoup

    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            soup = BeautifulSoup(text, "html.parser")
            everything = clean(_visible_text(soup, first_row_names, whole=True))
            main = clean(_visible_text(_main(soup), first_row_names, whole=False))
            is_enough = len(main) >= len(everything) * _LEAST_SHARE
            return WholeText(main if is_enough else everything, _title(soup))
        except ExtractionError:
            raise
        except (RecursionError, AssertionError, ValueError) as error:
            raise ExtractionError(
                "the HTML cannot be read: open it in a browser and save it again"
            ) from error


def _main(soup: "BeautifulSoup") -> "Tag":
    found = soup.find("main") or soup.find(role="main")
    articles = soup.find_all("article", limit=2)
    return found or (articles[0] if len(articles) == 1 else soup)


def _title(soup: "BeautifulSoup") -> str | None:
    """Return the page's title, without its site's name if the first heading shows it."""
    titles = (tag for tag in soup.find_all("title", limit=20) if tag.find_parent("svg") is None)
    named = clean_title(next((tag.get_text() for tag in titles), ""))
    heading = clean_title(soup.h1.get_text(" ") if soup.h1 else "")
    if named and heading and heading.casefold() in map(str.casefold, _PARTS.split(named)):
        return heading
    return named or heading


def _visible_text(root: "Tag", first_row_names: bool, *, whole: bool) -> str:
    from bs4 import CData, Tag
    from bs4.element import NavigableString

    pieces: list[str] = []
    # With a stack: bs4's own traversal takes quadratic time on deeply nested pages.
    stack: list[object] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Tag):
            if node.name in _INVISIBLE or _is_hidden(node):
                continue
            if not whole and _is_surrounding(node):
                continue
            if node.name == "table" and (lines := table_of(node, first_row_names=first_row_names)):
                pieces.append("\n".join(["", *lines, ""]))
                continue
            if node.name in _BLOCKS:
                pieces.append(f"\n{_HEADINGS.get(node.name, '')}")
                stack.append("\n")
            stack.extend(reversed(node.contents))
        elif type(node) in {NavigableString, CData, str}:  # not comments or declarations
            pieces.append(str(node))
    shown = (" ".join(line.split()) for line in "".join(pieces).splitlines())
    # A heading without text is only its mark.
    return "\n".join(line for line in shown if line.strip("#") or not line)


def _is_hidden(tag: "Tag") -> bool:
    if not tag.attrs:
        return False
    return (
        tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or _HIDING.search(str(tag.get("style", ""))) is not None
    )


def _is_surrounding(tag: "Tag") -> bool:
    if tag.name in _SURROUNDINGS or tag.get("role") in _SURROUNDING_ROLES:
        return True
    if not tag.attrs:
        return False
    names = f"{tag.get_attribute_list('class')} {tag.get('id', '')}"
    return _NOTICES.search(names) is not None
