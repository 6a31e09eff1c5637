"""The third-party packages in built archives, by their metadata."""

import email.parser
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Final

_METADATA: Final = re.compile(r"(?:.*/)?(?P<folder>[^/]+\.dist-info)/METADATA")
_NOTICE: Final = re.compile(
    r"(?:.*/)?(?P<folder>[^/]+\.dist-info)/(?:licenses/(?P<nested>.+)|(?P<flat>(?:LICEN[CS]E|NOTICE|COPYING)[^/]*))",
    re.IGNORECASE,
)
_SOURCE_LABELS: Final = (
    "source",
    "source code",
    "code",
    "repository",
    "github",
    "homepage",
    "home",
)


@dataclass(frozen=True)
class Notice:
    """A licence file or notice of a package."""

    file: str
    text: str


@dataclass(frozen=True)
class Package:
    """A third-party package: its licence as its metadata names it, and where its source is."""

    name: str
    version: str
    licence: str
    source: str


def packages(archives: Iterable[Path]) -> dict[str, Package]:
    """Return the packages in zips and PEX files, by the folder of their metadata.

    Raises:
        LookupError: A package names no licence.
    """
    found = {}
    for archive, name in _entries(archives):
        if match := _METADATA.fullmatch(name):
            text = archive.read(name).decode()
            found[match["folder"]] = _package(email.parser.Parser().parsestr(text))
    return dict(sorted(found.items(), key=lambda item: item[1].name.lower()))


def notices(archives: Iterable[Path]) -> dict[str, list[Notice]]:
    """Return the licence files and notices in archives, by the folder of their metadata."""
    found: dict[str, dict[str, str]] = {}
    for archive, name in _entries(archives):
        if (match := _NOTICE.fullmatch(name)) and not name.endswith("/"):
            file = match["nested"] or match["flat"]
            text = archive.read(name).decode(errors="replace")
            found.setdefault(match["folder"], {})[file] = "\n".join(
                line.rstrip() for line in text.strip("\n").splitlines()
            )
    return {
        folder: [Notice(file, text) for file, text in sorted(files.items())]
        for folder, files in found.items()
    }


def _entries(archives: Iterable[Path]) -> Iterator[tuple[zipfile.ZipFile, str]]:
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive, name


def _package(metadata: Message) -> Package:
    name, version = str(metadata["Name"]), str(metadata["Version"])
    return Package(name, version, _licence(metadata, name), _source(metadata))


def _licence(metadata: Message, name: str) -> str:
    if expression := metadata["License-Expression"]:
        return str(expression)
    classifiers = [
        str(value).rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier", [])
        if str(value).startswith("License :: OSI Approved :: ")
    ]
    if classifiers:
        return ", ".join(sorted(classifiers))
    licence = str(metadata["License"] or "").strip()
    if not licence or "\n" in licence:
        raise LookupError(f"the metadata of {name} names no licence")
    return licence


def _source(metadata: Message) -> str:
    links = {}
    for value in metadata.get_all("Project-URL", []):
        label, _, url = str(value).partition(",")
        links[label.strip().lower()] = url.strip()
    if home := metadata["Home-page"]:
        links.setdefault("homepage", str(home))
    return next((links[label] for label in _SOURCE_LABELS if label in links), "")
