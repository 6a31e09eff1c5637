"""CHANGELOG.md in the form of Keep a Changelog: a section a release, the newest first."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from deploy.program import REPOSITORY, Refused

FILE: Final = REPOSITORY / "CHANGELOG.md"

_HEADING: Final = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?\s*$")


class Changelog:
    """The sections of a changelog, by `Unreleased` or a version without its `v`."""

    def __init__(self, sections: Mapping[str, str]) -> None:
        self._sections = sections

    @classmethod
    def read(cls, path: Path = FILE) -> Self:
        """Read a changelog.

        Raises:
            Refused: A section comes twice, or a released one has no date.
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
        """Return what a release's section says.

        Args:
            tag: v1.2.3.

        Raises:
            Refused: There is no such section, or nothing in it.
        """
        name = tag.removeprefix("v")
        if name not in self._sections:
            raise Refused(f"the changelog has no section [{name}]: write it before the tag")
        if not self._sections[name]:
            raise Refused(f"the changelog's section [{name}] is empty")
        return self._sections[name]

    def names(self) -> list[str]:
        """Return the sections as they stand."""
        return list(self._sections)
