"""Reads CHANGELOG.md, in the format of Keep a Changelog: one section a release, newest first."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from deploy.program import REPOSITORY, Refused

FILE: Final = REPOSITORY / "CHANGELOG.md"

_HEADING: Final = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?\s*$")


class Changelog:
    """The sections of a changelog, by name: `Unreleased`, or a version without its `v`."""

    def __init__(self, sections: Mapping[str, str]) -> None:
        self._sections = sections

    @classmethod
    def read(cls, path: Path = FILE) -> Self:
        """Read a changelog.

        Raises:
            Refused: Two sections have the same name, or that of a release has no date.
        """
        sections: dict[str, list[str]] = {}
        current: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("## "):
                current.append(line)
                continue
            match = _HEADING.match(line)
            if match is None:
                raise Refused(f"{path.name}: write {line!r} as '## [1.2.3] - 2026-01-31'")
            name = match["name"]
            if name in sections:
                raise Refused(f"{path.name} has two sections {name}")
            if name != "Unreleased" and match["date"] is None:
                raise Refused(f"{path.name}: the section {name} has no date")
            current = sections[name] = []
        return cls({name: "\n".join(lines).strip() for name, lines in sections.items()})

    def notes(self, tag: str) -> str:
        """Return the text of a release's section.

        Args:
            tag: v1.2.3.

        Raises:
            Refused: The section is missing or empty.
        """
        name = tag.removeprefix("v")
        if name not in self._sections:
            raise Refused(f"the changelog has no section [{name}]: add it before the tag")
        if not self._sections[name]:
            raise Refused(f"the changelog's section [{name}] is empty")
        return self._sections[name]

    def names(self) -> list[str]:
        """Return the names of the sections in their order."""
        return list(self._sections)
