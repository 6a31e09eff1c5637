"""The title of Markdown, from its front matter or its first heading."""

import re
from collections.abc import Iterator
from typing import Final

from runner.text import clean_title

_FRONT_MATTER: Final = re.compile(
    r"\A---[^\S\n]*\n([\w-]+:.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|\Z)", re.DOTALL
)
_FRONT_TITLE: Final = re.compile(r"^title[^\S\n]*:[^\S\n]*(.+?)[^\S\n]*$", re.MULTILINE)
_LONGEST_HEADING: Final = 400
_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_ATX: Final = re.compile(r" {0,3}#{1,6}[^\S\n]+(.+?)[^\S\n]*#*[^\S\n]*$")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)[^\S\n]*$")
_EMPHASIS: Final = re.compile(r"(\*\*|__|\*|`)(.+?)\1")
_LINK: Final = re.compile(r"!?\[([^]]*)\]\([^)]*\)")


def read_markdown(text: str) -> tuple[str, str | None]:
    """Return the text without its front matter, and the title."""
    front = _FRONT_MATTER.match(text)
    title = None
    if front:
        text = text[front.end() :]
        named = _FRONT_TITLE.search(front[1])
        title = clean_title(named[1].strip("\"'")) if named else None
    return text, title or _heading(text.split("\n"))


def _heading(lines: list[str]) -> str | None:
    """Return the first heading that is not in a code block."""
    for index, (line, is_code) in enumerate(_marked(lines)):
        if is_code or len(line) > _LONGEST_HEADING:
            continue
        if match := _ATX.match(line):
            return clean_title(_plain(match[1]))
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if line.strip() and _UNDERLINE.match(following):
            return clean_title(_plain(line))
    return None


def _marked(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it belongs to a fenced block of code."""
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            yield line, True
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield line, bool(mark)


def _plain(text: str) -> str:
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text))
