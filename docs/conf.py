"""Configures the documentation site, which `./pants run docs:serve` shows."""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

project = "fin-advisor"
author = "the fin-advisor authors"
project_copyright = "the fin-advisor authors, Apache-2.0"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"]

# A heading can be linked as page.md#heading, as on GitHub.
myst_heading_anchors = 4

html_theme = "furo"
html_title = "fin-advisor"
html_copy_source = False
html_show_sphinx = False

linkcheck_timeout = 20
linkcheck_workers = 4

# Pages whose text has its place elsewhere in the repository. In docs/ they only link to it.
ELSEWHERE = {
    "changelog": "CHANGELOG.md",
    "completions": "backend/evaluation/completions/README.md",
    "pipeline": "build-support/deploy/README.md",
    "security": "SECURITY.md",
    "third-party": "THIRD_PARTY.md",
}
_DOCS = Path(__file__).parent
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def setup(app: Sphinx) -> None:
    """Show the texts from elsewhere as pages, and lead links to them there."""
    app.connect("source-read", _read)


def _read(_app: Sphinx, page: str, source: list[str]) -> None:
    path = _DOCS.parent / ELSEWHERE[page] if page in ELSEWHERE else _DOCS / f"{page}.md"
    text = path.read_text() if page in ELSEWHERE else source[0]

    def on_the_site(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(path.parent / link[1]))
        for name, original in ELSEWHERE.items():
            if target == _DOCS.parent / original:
                target = _DOCS / f"{name}.md"
        return os.path.relpath(target, (_DOCS / page).parent)

    source[0] = _LINK.sub(on_the_site, text)
