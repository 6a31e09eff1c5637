"""The generated pages of docs/reference."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reference import errors, events, settings, variables

FOLDER: Final = Path("docs/reference")
PROGRAM: Final = "./pants run build-support/reference:write"
_NOTE: Final = f"<!-- Generated: {PROGRAM} -->\n\n"

PAGES: Final[Mapping[str, Callable[[Path], str]]] = {
    "settings.md": settings.page,
    "terraform-variables.md": variables.page,
    "errors.md": errors.page,
    "log-events.md": events.page,
}


def render(repository: Path) -> dict[Path, str]:
    """Return the text of each page by its path in the repository."""
    return {FOLDER / name: _NOTE + page(repository) for name, page in PAGES.items()}
