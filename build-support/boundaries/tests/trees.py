"""Writes small repositories for tests, with a BUILD file that has levels."""

from collections.abc import Mapping
from pathlib import Path

BUILD = """
_LEVELS = [["/__init__.py", "/settings.py"], ["/request/**"], ["/app.py"]]
_OUTSIDE = ["//backend/api/**"]

__dependencies_rules__(*_LEVELS)
"""


def write(repository: Path, files: Mapping[str, str]) -> Path:
    """Write files by their path from the repository's root."""
    for path, content in files.items():
        target = repository / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return repository
