"""Repacks a Lambda zip: drops what the runtime does not need, adds bytecode, is reproducible.

    pack_lambda.py STOCK_ZIP OUTPUT_ZIP [--aws-service NAME]...

Beside `api.zip` it writes `api.cdx.json`, the bill of materials of that zip.

/var/task is read-only, so without bytecode a function compiles all its imports at every cold start.
Python uses unchecked-hash bytecode without comparing it to the source.
"""

import argparse
import csv
import hashlib
import importlib.util
import marshal
import sys
import warnings
import zipfile
from collections.abc import Container, Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from bill import SUFFIX, Component, bill, python_distribution

PYTHON = (3, 13)
_UNCHECKED_HASH = (0b01).to_bytes(
    4, "little"
)  # PEP 552: hash-based, not checked against the source
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip entry

_DROPPED_FOLDERS = {"__pycache__", "tests", "__tests__", "bin"}
_DROPPED_SUFFIXES = (
    ".pyi", ".pyc", ".pyx", ".pxd", ".pxi", ".c", ".cc", ".cpp", ".h", ".hpp", ".a", ".lib",
    ".exe", ".typed",
)  # fmt: skip
_DROPPED = (
    # Descriptions of boto3.resource; the services use clients only.
    "boto3/data/*",
    "boto3/examples/*",
    "botocore/data/*/examples-1.json*",
    # FastAPI imports it at every cold start if it is present, only to reject its models.
    "pydantic/v1/*",
    # Messages of Google's APIs; OTLP needs google/rpc only.
    *(f"google/{name}/*" for name in ("api", "cloud", "gapic", "logging", "longrunning", "type")),
    # A copy of the system's time zones.
    "dateutil/zoneinfo/*.tar.gz",
    # Of pycryptodome, chat uses AES in GCM mode and random numbers.
    *(
        f"Crypto/{name}"
        for name in (
            "IO/*",
            "Math/*",
            "Protocol/*",
            "PublicKey/*",
            "SelfTest/*",
            "Signature/*",
            "Hash/[A-Zck]*",
            "Hash/_[A-Zkp]*",
            "Cipher/A[!E]*",
            "Cipher/[B-Zo]*",
            "Cipher/_[A-Zkp]*",
            "Cipher/_chacha*",
            "Cipher/_raw_[bdo]*",
            "Cipher/_raw_arc2*",
            "Cipher/_raw_c[abf]*",
            "Cipher/_raw_eks*",
        )
    ),
    # Imported by build tools, type checkers and test runners only.
    "*/conftest.py",
    "anyio/_backends/_trio.py",
    "anyio/pytest_plugin.py",
    "numpy/_core/_*_tests.*",
    "numpy/_pyinstaller/*",
    "numpy/distutils/*",
    "numpy/f2py/*",
    "packaging/licenses/*",
    "pydantic/mypy.py",
    "setuptools/*",
    "starlette/testclient.py",
    # Imported in a browser only.
    "urllib3/contrib/emscripten/*",
)
# Metadata that programs read at run time: versions, and entry points (OpenTelemetry's context).
_KEPT_METADATA = {"METADATA", "entry_points.txt"}
_SERVICE_MODELS = "botocore/data/"


def pack(stock: Path, output: Path, aws_services: Sequence[str] = ()) -> tuple[int, int]:
    """Write `output` from the files of `stock`, and its bill of materials beside it.

    Args:
        stock: A zip with the package's files at its root.
        output: The zip to write.
        aws_services: Services, by botocore's names, whose botocore models are kept.

    Returns:
        Size in bytes, zipped and unzipped.

    Raises:
        SystemExit: This Python is not the runtime's version, or botocore has no such service.
    """
    if sys.version_info[:2] != PYTHON:
        raise SystemExit(f"bytecode for Python {PYTHON} has to be made by it, not by {sys.version}")
    with zipfile.ZipFile(stock) as source:
        names = sorted(name for name in source.namelist() if not name.endswith("/"))
        _check_services(names, aws_services)
        kept = [name for name in names if _is_needed(name, names, aws_services)]
        files = dict(_contents(source, kept))
        components = list(_distributions(source, files))
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every machine
            # Lambda runs a wrapper (AWS_LAMBDA_EXEC_WRAPPER) as a program.
            mode = 0o755 if files[name].startswith(b"#!/bin/sh\n") else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            target.writestr(entry, files[name])
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    content = bill(output.name, "application", digest, components)
    output.with_suffix(SUFFIX).write_bytes(content)
    return output.stat().st_size, sum(map(len, files.values()))


def _check_services(names: Iterable[str], aws_services: Sequence[str]) -> None:
    folders = {
        name.removeprefix(_SERVICE_MODELS).split("/")[0]
        for name in names
        if name.startswith(_SERVICE_MODELS)
    }
    unknown = sorted(set(aws_services) - folders)
    if unknown:
        raise SystemExit(f"botocore in this package has no model of: {', '.join(unknown)}")


def _is_needed(name: str, names: Sequence[str], aws_services: Sequence[str]) -> bool:
    folders = name.split("/")[:-1]
    if folders and folders[0].endswith(".dist-info"):
        return len(folders) == 1 and name.split("/")[1] in _KEPT_METADATA
    if name.startswith(_SERVICE_MODELS) and len(folders) > 2 and folders[2] not in aws_services:
        return False
    return not (
        _DROPPED_FOLDERS.intersection(folders)
        or name.endswith(_DROPPED_SUFFIXES)
        or any(fnmatch(name, pattern) for pattern in _DROPPED)
        # botocore prefers certifi's certificates if both are there.
        or (name == "botocore/cacert.pem" and "certifi/cacert.pem" in names)
    )


def _contents(source: zipfile.ZipFile, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        content = source.read(name)
        if name.endswith(".dist-info/METADATA"):
            # Only the headers: the project's README follows the empty line.
            content = content.split(b"\n\n")[0] + b"\n"
        yield name, content
        if name.endswith(".py") and (bytecode := compiled(name, content)) is not None:
            folder, _, module = name.rpartition("/")
            cached = f"__pycache__/{module.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
            yield (f"{folder}/{cached}" if folder else cached), bytecode


def _distributions(source: zipfile.ZipFile, files: Container[str]) -> Iterator[Component]:
    """Yield the distributions of which at least one module or data file is in the package."""
    for record in source.namelist():
        folder, _, name = record.rpartition("/")
        if name != "RECORD" or not folder.endswith(".dist-info"):
            continue
        listed = csv.reader(source.read(record).decode().splitlines())
        paths = (row[0] for row in listed if row)
        if any(path in files and not path.startswith(f"{folder}/") for path in paths):
            yield python_distribution(source.read(f"{folder}/METADATA"))


def compiled(name: str, source: bytes) -> bytes | None:
    """Return the unchecked-hash bytecode of a module, or None if Python 3.13 cannot compile it.

    It contains the module's path on Lambda, and not the one on the build machine.
    """
    try:
        code = compile(source, f"/var/task/{name}", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # a template, or a module for another version
        return None
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """Repack a zip and print its sizes in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stock", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--aws-service", action="append", default=[])
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # of third-party code, such as invalid escapes
    zipped, unzipped = pack(options.stock, options.output, options.aws_service)
    print(f"{zipped / 1e6:.1f} MB zipped, {unzipped / 1e6:.1f} MB unzipped")


if __name__ == "__main__":
    main()
