"""What an image contains: the bill of materials of an archive of `docker save`."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from bill import Component, bill, debian_packages, python_distribution
from deploy.manifest import bill_of, sha256
from deploy.program import Refused

_METADATA: Final = re.compile(r".+\.dist-info/METADATA")
_STATUS: Final = re.compile(r"var/lib/dpkg/status(\.d/[^/]+)?")
# A layer deletes `name` of earlier layers by a file `.wh.name`, and the content of a folder by
# `.wh..wh..opq` in it.
_DELETED: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_MAX_BYTES: Final = 20_000_000


def write_bill(archive: Path) -> Path:
    """Write the bill of an image beside its archive, and return its path.

    Raises:
        Refused: The file is not an archive of `docker save`, or a list of packages is too large.
    """
    path = archive.with_name(bill_of(archive.name))
    try:
        with tarfile.open(archive) as image:
            components = list(_components(image))
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise Refused(f"{archive} is not an archive of `docker save`: {error}") from error
    path.write_bytes(bill(archive.name, "container", sha256(archive), components))
    return path


def _components(image: tarfile.TarFile) -> Iterator[Component]:
    [described] = json.loads(_read(image, "manifest.json"))
    lists: dict[str, bytes] = {}
    for layer in described["Layers"]:
        _apply(_open(image, layer), lists)
    for name, content in lists.items():
        if _STATUS.fullmatch(name):
            yield from debian_packages(content)
        else:
            yield python_distribution(content)
    # The base image compiles Python itself, so that it is in no list of packages.
    for variable in json.loads(_read(image, described["Config"]))["config"].get("Env") or []:
        name, _, version = variable.partition("=")
        if name == "PYTHON_VERSION":
            yield Component(f"pkg:generic/python@{version}", "python", version)


def _apply(layer: IO[bytes], lists: dict[str, bytes]) -> None:
    """Remove the lists of packages that a layer deletes, and add those that it contains."""
    added = {}
    with tarfile.open(fileobj=layer) as files:
        for entry in files:
            folder, _, name = entry.name.removeprefix("./").rpartition("/")
            path = f"{folder}/{name}".lstrip("/")
            if name == _OPAQUE:
                _delete(lists, folder)
            elif name.startswith(_DELETED):
                _delete(lists, f"{folder}/{name.removeprefix(_DELETED)}".lstrip("/"))
            elif entry.isfile() and (_METADATA.fullmatch(path) or _STATUS.fullmatch(path)):
                added[path] = _read(files, entry.name)
    lists |= added


def _delete(lists: dict[str, bytes], path: str) -> None:
    for name in [name for name in lists if name == path or name.startswith(f"{path}/")]:
        del lists[name]


def _open(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    content = _open(tar, name).read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise Refused(f"{name} in the image is larger than {_MAX_BYTES} bytes")
    return content
