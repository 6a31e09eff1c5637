"""Faults of the gateway's own connections, and of the functions and services behind it."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from local.blueprint import FunctionIntegration, HttpIntegration
from local.faults import Fault, Faults
from local.gateway.exchange import Answer
from local.gateway.refusals import Refusal, RefusedError
from local.gateway.streaming import cut
from local.net.serving import (
    RESET_KEY,
    Asgi,
    ClientGoneError,
    Message,
    Receive,
    Scope,
    Send,
    respond,
    wait_until_gone,
)

_JSON = [("content-type", "application/json")]


class FaultyGateway:
    """An application whose requests get the faults of the target `gateway`."""

    def __init__(self, application: Asgi, faults: Faults) -> None:
        self._application = application
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.draw("gateway")
        if fault is None:
            await self._application(scope, receive, send)
            return
        await asyncio.sleep(fault.delay_seconds)
        if fault.error is not None:
            await respond(send, fault.error, _JSON, _gateway_error(fault.error))
        elif fault.breaks_off:
            await _reset(scope, receive)
        elif fault.truncate:
            await self._truncated(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_first = True

        async def send_half(message: Message) -> None:
            nonlocal is_first
            if message["type"] == "http.response.body":
                if is_first and message.get("more_body"):
                    is_first = False  # a stream is cut in its second piece
                    await send(message)
                    return
                body = message["body"]
                await send({**message, "body": body[: len(body) // 2], "more_body": True})
                await _reset(scope, receive)
                raise ClientGoneError
            await send(message)

        await self._application(scope, receive, send_half)


async def integrate(
    fault: Fault,
    integration: FunctionIntegration | HttpIntegration,
    work: Coroutine[Any, Any, Answer],
) -> Answer:
    """Return the answer of an integration that fails.

    Raises:
        RefusedError: The gateway answers, as it does when the integration breaks off.
    """
    is_function = isinstance(integration, FunctionIntegration)
    broken = Refusal.FUNCTION_FAILED if is_function else Refusal.INTEGRATION_UNREACHABLE
    try:
        await asyncio.sleep(fault.delay_seconds)
        if fault.error is not None:
            body = {"error": "ordered_fault", "detail": f"The fault {fault.text} was ordered."}
            return Answer(fault.error, _JSON, json.dumps(body).encode())
        if fault.breaks_off:
            raise RefusedError(broken, fault.text)
        answer = await work
        if fault.truncate and answer.pieces is not None:
            return replace(answer, pieces=cut(answer.pieces, fault.text))
        if fault.truncate:
            raise RefusedError(broken, fault.text)
        return answer
    finally:
        work.close()  # not started, unless the request was carried out


async def _reset(scope: Scope, receive: Receive) -> None:
    scope[RESET_KEY]()
    await wait_until_gone(receive)


def _gateway_error(status: int) -> bytes:
    for refusal in Refusal:
        if refusal.status == status:
            return refusal.body
    return Refusal.INTERNAL_ERROR.body
