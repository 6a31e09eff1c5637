"""Checks before anything starts, and reports all problems together."""

import importlib.util
import socket
import sys
import tempfile
from collections.abc import Iterator
from urllib.parse import urlsplit

from local.blueprint import LAMBDA_SERVICES, SERVICES
from local.compute.processes import BACKEND
from local.env_file import EnvFile
from local.net.sockets import bind
from local.options import Options, is_loopback
from local.terraform.layer_copy import missing

_MODULES = (
    "awslambdaric",
    "boto3",
    "fastapi",
    "httpx",
    "joserfc",
    "mangum",
    "moto",
    "orjson",
    "psutil",
    "pydantic_settings",
    "rich",
    "stamina",
    "structlog",
    "uvicorn",
    "watchfiles",
)


def problems(options: Options) -> list[str]:
    """One line for each reason why the estate cannot start; empty when it can."""
    found = [
        *_machine(),
        *_packages(options),
        *_files(options),
        *_port(options),
        *_bedrock(options.bedrock),
    ]
    return [*found, *missing()] if options.terraform else found


def _machine() -> Iterator[str]:
    if sys.version_info[:2] != (3, 13):
        found = ".".join(str(part) for part in sys.version_info[:2])
        yield f"Python 3.13 is needed, as on Lambda; this is {found}"
    if sys.platform not in {"linux", "darwin"}:
        yield f"Linux or macOS is needed; this is {sys.platform}"
    absent = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if absent:
        yield f"Python packages are missing: {', '.join(absent)} (./pants run installs them)"


def _packages(options: Options) -> Iterator[str]:
    if options.packages is None:
        for service in SERVICES:
            entry = "handler.py" if service in LAMBDA_SERVICES else "server.py"
            if not (BACKEND / service / entry).is_file():
                yield f"the source backend/{service}/{entry} is missing"
        return
    if not options.packages.is_dir():
        yield f"--packages: {options.packages} is not a folder (./pants package :: writes dist)"
        return
    for service in LAMBDA_SERVICES:
        if not (options.packages / f"{service}.zip").is_file():
            yield f"--packages: {options.packages} has no {service}.zip (see ./pants package ::)"


def _files(options: Options) -> Iterator[str]:
    if options.env_file is not None and (problem := EnvFile(options.env_file).problem()):
        yield f"--env-file: {problem}"
    try:
        if options.run_dir is not None:
            options.run_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.run_dir):
            pass
    except OSError as error:
        if options.run_dir is None:
            yield f"there is no folder for temporary files ({error.strerror}): set TMPDIR to one"
        else:
            yield f"--run-dir: {options.run_dir} is not a writable folder: {error.strerror}"


def _port(options: Options) -> Iterator[str]:
    try:
        bind(options.port).close()
    except OSError as error:
        yield f"port {options.port} cannot be used ({error.strerror}): choose another with --port"


def _bedrock(bedrock: str) -> Iterator[str]:
    # Another machine may be reachable through a proxy only, so it is not tried.
    if not is_loopback(bedrock):
        return
    url = urlsplit(bedrock)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((str(url.hostname), port), timeout=2).close()
    except OSError as error:
        yield f"--bedrock: nothing answers at {bedrock} ({error.strerror or error})"
