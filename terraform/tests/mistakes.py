"""The mistakes of mistakes.toml: each replaces a text, which must be in its file exactly once."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parent / "mutants" / "mistakes.toml"


class MistakeError(Exception):
    """A mistake cannot be made in today's files; the message says which, and why."""


@dataclass(frozen=True)
class Mistake:
    """One mistake: `file` is relative to the repository's root."""

    name: str
    file: str
    old: str
    new: str

    @property
    def layer(self) -> str:
        return self.file.partition("/")[0]

    def made_in(self, text: str) -> str:
        """Return the file's text with the mistake.

        Raises:
            MistakeError: The text to replace is not there, or more than once.
        """
        if (count := text.count(self.old)) != 1:
            raise MistakeError(
                f"{self.name}: {self.file} has its old text {count} times instead of once. "
                f"Bring {FILE.name} up to date."
            )
        return text.replace(self.old, self.new)

    @contextmanager
    def made(self, folder: Path) -> Iterator[None]:
        """Make the mistake in a copy of its layer, and take it back afterwards."""
        path = folder / self.file.partition("/")[2]
        text = path.read_text()
        path.write_text(self.made_in(text))
        try:
            yield
        finally:
            path.write_text(text)


def read() -> list[Mistake]:
    """Return all mistakes in the order of the file."""
    return [Mistake(**entry) for entry in tomllib.loads(FILE.read_text())["mistake"]]
