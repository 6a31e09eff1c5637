"""A handler for an unpacked package: the package's own application with more routes, for tests.

Requests to them pass the package's libraries, its middleware and its Lambda entry point.
"""

import importlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from shared.aws.api_keys import SecretsManagerKeys
from shared.aws.clients import aws_client
from shared.aws_lambda.entry import lambda_handler
from shared.logging import get_logger
from shared.settings import load_settings

service = os.environ["SERVICE_NAME"]
settings = load_settings(importlib.import_module(f"{service}.settings").Settings)
# Without scopes: services.json does not declare the routes below.
app = importlib.import_module(f"{service}.app").create_app(
    settings.model_copy(update={"enable_service_api_keys": False})
)
keys = SecretsManagerKeys(settings.api_key_secret_name, region=settings.aws_region)
router = APIRouter(prefix="/probe")


@router.post("/echo")
async def echo(request: Request, tag: Annotated[list[str] | None, Query()] = None) -> Response:
    """Answer with the request, and with repeated headers of each kind."""
    body = await request.body()
    answer = JSONResponse(
        {
            "headers": request.headers.items(),
            "query": request.query_params.multi_items(),
            "tags": tag,
            "body": body.decode("latin-1"),
        }
    )
    answer.headers.append("set-cookie", "a=1; Secure")
    answer.headers.append("set-cookie", "b=2; Secure")
    answer.headers["x-single"] = "one"
    return answer


@router.get("/sized")
async def sized(count: int, of: str = "x", binary: bool = False) -> Response:
    """Answer with `count` repetitions of a text."""
    media_type = "application/octet-stream" if binary else "text/plain"
    return Response((of * count).encode(), media_type=media_type, headers={"x-kept": "yes"})


@router.get("/broken")
async def broken() -> None:
    """Raise an unexpected error, with the key in a local variable of the traceback."""
    key = await keys.current()
    get_logger("probe").info("key_read", api_key=key)
    raise RuntimeError("nobody expected this") from LookupError(f"{len(key)} characters")


@router.get("/half")
async def half() -> StreamingResponse:
    """Fail in the middle of the answer."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"the first part"
        raise RuntimeError("nobody expected this either")

    return StreamingResponse(parts(), media_type="text/plain")


@router.get("/surroundings")
async def surroundings() -> dict[str, Any]:
    """Answer with the paths from which this process has loaded code."""
    aws_client("secretsmanager", region=settings.aws_region)
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {
        "executable": sys.executable,
        "path": sys.path,
        "files": sorted({str(Path(file).resolve()) for file in files if file}),
    }


def _connect(address: tuple[str, int]) -> None:
    socket.create_connection(address, timeout=5).close()


@router.post("/escape")
def escape(addresses: list[tuple[str, int]]) -> dict[str, str]:
    """Try each way to reach something outside, and answer with the outcomes."""
    task = Path(os.environ["LAMBDA_TASK_ROOT"])
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ways: dict[str, Callable[[], Any]] = {
        **{f"{host}:{port}": partial(_connect, (host, port)) for host, port in addresses},
        "name": lambda: socket.getaddrinfo("example.com", 443),
        "datagram": lambda: datagrams.sendto(b"x", ("192.0.2.1", 53)),
        "program": lambda: os.system("true"),  # noqa: S605, S607 - refused before it starts
        "new file": lambda: (task / "new.txt").write_text("x"),
        "new folder": (task / "new").mkdir,
        "changed file": lambda: (task / "lambda_function.py").open("a"),
        "removed file": (task / "lambda_function.py").unlink,
        "renamed file": lambda: (task / "lambda_function.py").rename(task / "x.py"),
    }
    outcomes = {}
    for name, way in ways.items():
        try:
            way()
        except OSError as error:
            outcomes[name] = type(error).__name__ + " " + str(error)
        else:
            outcomes[name] = "done"
    datagrams.close()
    return outcomes


app.include_router(router)
handler = lambda_handler(app, settings, keys=keys)
