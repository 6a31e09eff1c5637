"""The modules of the services, which the pages describe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOMS: Final = ("shared", "api", "chat", "s3vector", "runner", "rotation", "records")


def modules_of(backend: Path, room: str) -> Iterator[Path]:
    """Yield the modules of a room, without tests and what only tests use."""
    for path in sorted((backend / room).rglob("*.py")):
        if "tests" not in path.relative_to(backend).parts and path.name not in (
            "conftest.py",
            "testing.py",
        ):
            yield path
