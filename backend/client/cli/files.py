"""The files to ingest, with the id, the media type and the hash of each."""

import hashlib
import mimetypes
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from client.cli.outcome import CommandError, Exit

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"

# Python knows few of these types. A test compares them with those that the runner reads.
_TYPES: Final = mimetypes.MimeTypes()
for _suffix, _type in {
    **dict.fromkeys((".docx", ".docm", ".dotx"), f"{_OFFICE}.wordprocessingml.document"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx"), f"{_OFFICE}.spreadsheetml.sheet"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".potx"), f"{_OFFICE}.presentationml.presentation"),
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".text": "text/plain",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xhtml": "application/xhtml+xml",
}.items():
    _TYPES.add_type(_type, _suffix)


@dataclass(frozen=True)
class SourceFile:
    """A file and its name, the path below the folder that was given."""

    path: Path
    name: str

    @property
    def document_id(self) -> str:
        """The id of its document: always the same for the same name."""
        if _ID.fullmatch(self.name) and ".." not in self.name:
            return self.name
        # So that no two names have the same id.
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self.name).strip("-")[:80] or "document"
        return f"{slug}-{hashlib.sha256(self.name.encode()).hexdigest()[:12]}"

    @property
    def content_type(self) -> str:
        """Its media type by its name; empty if that is unknown."""
        return _TYPES.guess_type(self.name)[0] or ""

    @cached_property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size

    @cached_property
    def sha256(self) -> str:
        """The hash of its content."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_files(paths: Iterable[Path]) -> list[SourceFile]:
    """Return the files that paths name, and all files in folders, in the order of their names.

    Names that begin with a dot are left out in folders, and links are not followed.

    Raises:
        CommandError: A path does not exist, or two files have the same name.
    """
    found: dict[str, SourceFile] = {}
    for path in paths:
        for file in _below(path):
            other = found.setdefault(file.document_id, file)
            if other.path.absolute() != file.path.absolute():
                raise CommandError(
                    f"{other.path} and {file.path} would both be the document "
                    f"{file.document_id!r}: give the folder that contains both.",
                    Exit.USAGE,
                )
    return sorted(found.values(), key=lambda file: file.name)


def _below(path: Path) -> Iterator[SourceFile]:
    if path.is_file():
        yield SourceFile(path, path.name)
        return
    if not path.is_dir():
        raise CommandError(f"There is no file or folder {path}.", Exit.USAGE)
    for folder, folders, names in path.walk():
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = folder / name
            if not name.startswith(".") and file.is_file() and not file.is_symlink():
                yield SourceFile(file, file.relative_to(path).as_posix())
