"""The console's API for faults: list, order and cancel them."""

import json
import secrets
from collections.abc import Callable

from local.faults import Faults, parse_fault
from local.net.serving import (
    BodyTooLongError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    read_body,
    respond,
)

PATH = "/faults"

_LONGEST_ORDER_BYTES = 1000
_EXPECTED = 'send {"fault": "TARGET:KIND[=VALUE]"}'


class FaultsApi:
    """Serves `GET /faults`; with the client's API key also `POST {"fault": "s3:error=503"}`, which
    orders a fault, and `DELETE`, which cancels all.
    """

    def __init__(self, faults: Faults, api_key: Callable[[], str]) -> None:
        self._faults = faults
        self._api_key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = None
        if scope["method"] not in {"GET", "HEAD"}:
            problem = await self._change(scope, receive)
        status, content = problem or (200, self._faults.as_dict())
        headers = [("content-type", "application/json")]
        await respond(send, status, headers, json.dumps(content).encode())

    async def _change(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, str]] | None:
        given = next((value for name, value in scope["headers"] if name == b"x-api-key"), b"")
        if not secrets.compare_digest(given, self._api_key().encode()):
            return 403, {"message": "Send the client's API key as x-api-key."}
        if scope["method"] == "DELETE":
            self._faults.clear()
        elif scope["method"] != "POST":
            return 405, {"message": "Send GET, POST or DELETE."}
        else:
            try:
                order = json.loads(await read_body(receive, limit_bytes=_LONGEST_ORDER_BYTES))
                fault = parse_fault(str(order["fault"]))
            except (BodyTooLongError, ClientGoneError, LookupError, TypeError, RecursionError):
                return 400, {"message": f"The order cannot be read: {_EXPECTED}."}
            except ValueError as error:
                return 400, {"message": f"{error}; {_EXPECTED}"}
            self._faults.order(fault)
        return None
