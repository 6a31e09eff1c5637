"""WSGI answers in the form of AWS's REST-JSON services."""

import json
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from local.aws.wsgi import Environ, StartResponse


def read_body(environ: Environ) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def answer(
    start_response: StartResponse, status: int, body: bytes, headers: dict[str, str] | None = None
) -> Iterable[bytes]:
    start_response(
        f"{status} {HTTPStatus(status).phrase}",
        list(
            {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                "x-amzn-RequestId": str(uuid.uuid4()),
                **(headers or {}),
            }.items()
        ),
    )
    return [body]


def answer_json(
    start_response: StartResponse, status: int, content: Any, headers: dict[str, str] | None = None
) -> Iterable[bytes]:
    return answer(start_response, status, json.dumps(content).encode(), headers)


def answer_error(
    start_response: StartResponse, status: int, error_type: str, message: str
) -> Iterable[bytes]:
    return answer_json(
        start_response, status, {"message": message}, {"x-amzn-ErrorType": error_type}
    )
