"""Faults of the embedded AWS: answers in the form of each service's errors, or none."""

import json
import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from local.aws.json_api import signed_for
from local.aws.wsgi import Environ, StartResponse, Wsgi
from local.bedrock.runtime import OPERATION
from local.faults import Fault, Faults

# Clients read the error's code, and decide by it and by the status whether to try again.
_CODES = {
    "bedrock": {
        400: "ValidationException",
        403: "AccessDeniedException",
        429: "ThrottlingException",
        500: "InternalServerException",
        503: "ServiceUnavailableException",
    },
    "dynamodb": {
        400: "ValidationException",
        429: "ThrottlingException",
        500: "InternalServerError",
    },
    "s3": {
        403: "AccessDenied",
        429: "SlowDown",
        500: "InternalError",
        503: "ServiceUnavailable",
    },
    "secretsmanager": {
        400: "InvalidRequestException",
        403: "AccessDeniedException",
        429: "ThrottlingException",
        500: "InternalServiceError",
    },
}


def with_faults(served: Wsgi, faults: Faults) -> Wsgi:
    """Return an application whose requests get the ordered faults, by the service they call."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        service = signed_for(environ)
        fault = faults.draw(*_targets(service, environ))
        if fault is None:
            return served(environ, start_response)
        time.sleep(fault.delay_seconds)
        if fault.error is not None:
            return _error(service, fault, start_response)
        if fault.breaks_off:
            _close(environ)
            raise ConnectionResetError  # werkzeug expects this error, and sends nothing
        if fault.truncate:
            return _truncated(served, environ, start_response)
        return served(environ, start_response)

    return application


def _targets(service: str, environ: Environ) -> list[str]:
    call = OPERATION.fullmatch(environ["PATH_INFO"]) if service == "bedrock" else None
    # Converse and its streaming operation are one target.
    return [service, f"bedrock/{call['operation'].removesuffix('-stream')}"] if call else [service]


def _error(service: str, fault: Fault, start_response: StartResponse) -> Iterable[bytes]:
    code = _CODES.get(service, {}).get(fault.error or 500, "ServiceUnavailable")
    message = f"The fault {fault.text} was ordered."
    if service == "s3":
        kind = "application/xml"
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    else:
        kind = "application/json"
        body = json.dumps({"__type": code, "message": message})
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body.encode()))),
        ("x-amzn-ErrorType", code),
    ]
    start_response(f"{fault.error} {code}", headers)
    return [body.encode()]


def _truncated(served: Wsgi, environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Send the first half of an answer that announces all of it."""
    started: list[Any] = []
    content = b"".join(served(environ, lambda *start: started.extend(start)))
    status, headers = started[:2]
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*kept, ("Content-Length", str(len(content) or 1))])
    yield content[: len(content) // 2]
    _close(environ)
    raise ConnectionResetError


def _close(environ: Environ) -> None:
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
