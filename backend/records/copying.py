"""A local copy of a bucket with records: `export` writes it, `verify` and `replay` read it.

Contents are concatenated: one file for each hour of records, and one file for the seals, because
opening 100,000 files takes longer than hashing what is in them. `versions.jsonl` has a line for
each version, in the order of the bucket's listing.
"""

import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import orjson

from records.versions import RECORDS, SEALS, Source, Version

INDEX: Final = "versions.jsonl"

_BUFFER_BYTES: Final = 1 << 20


class CopyError(Exception):
    """The folder cannot be written or is no copy."""


class _Place(NamedTuple):
    file: str
    offset: int


def export(source: Source, folder: Path, prefixes: Iterable[str] = (SEALS, RECORDS)) -> int:
    """Copy all versions and return how many there are.

    Args:
        source: The bucket.
        folder: A new or empty folder.
        prefixes: What the keys begin with.

    Raises:
        CopyError: The folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CopyError(f"{folder} is not empty; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / INDEX).open("wb") as index:
        for prefix in prefixes:
            versions = list(source.versions(prefix))
            places = _write(source, folder, [one for one in versions if not one.is_marker])
            for one in versions:
                place = places.get((one.key, one.id), _Place("", 0))
                index.write(orjson.dumps([*one, *place]) + b"\n")
            count += len(versions)
    return count


def _write(
    source: Source, folder: Path, versions: Iterable[Version]
) -> dict[tuple[str, str], _Place]:
    places: dict[tuple[str, str], _Place] = {}
    for version, content in source.contents(versions):
        name = file_of(version.key)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            places[version.key, version.id] = _Place(name, file.tell())
            file.write(content + b"\n")
    return places


def file_of(key: str) -> str:
    """Return the file, relative to the folder, with the content of an object."""
    folder = key.rpartition("/")[0]
    # A key of another form must not leave the folder.
    if not folder or ".." in folder.split("/") or folder.startswith("/"):
        raise CopyError(f"The key {key!r} cannot be copied: it is no path below a folder.")
    return f"{folder}.jsonl"


class LocalCopy:
    """A folder that `export` wrote. It is read once and kept in memory without the contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[tuple[str, str], _Place] = {}
        self._versions: list[Version] = []
        try:
            with (folder / INDEX).open("rb") as index:
                for line in index:
                    *fields, file, offset = orjson.loads(line)
                    version = Version(*fields)
                    self._versions.append(version)
                    self._places[version.key, version.id] = _Place(file, offset)
        except (OSError, ValueError, TypeError) as error:
            raise CopyError(f"{folder} is no copy of a bucket: {error}.") from error

    def versions(self, prefix: str) -> Iterator[Version]:
        return (one for one in self._versions if one.key.startswith(prefix))

    def contents(self, versions: Iterable[Version]) -> Iterator[tuple[Version, bytes]]:
        def place_of(version: Version) -> _Place:
            return self._places[version.key, version.id]

        for name, some in groupby(versions, key=lambda one: place_of(one).file):
            with self._opened(name) as file:
                for version in some:
                    file.seek(place_of(version).offset)
                    # If a file was truncated, the content is shorter and has another hash.
                    yield version, file.read(version.size)

    def _opened(self, name: str) -> BinaryIO:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise CopyError(f"{INDEX} names a file outside of the folder: {name!r}.")
        try:
            return path.open("rb", buffering=_BUFFER_BYTES)
        except FileNotFoundError:
            return io.BytesIO()
