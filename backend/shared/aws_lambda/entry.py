"""The entry of every Lambda function: gateway events, tasks and direct invocations."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from mangum import Mangum
from mangum.handlers import APIGateway
from mangum.types import ASGI, Response
from starlette.types import ASGIApp, Message, Scope

from shared import tracing
from shared.aws.api_keys import ApiKeyProvider, SecretsManagerKeys
from shared.eager_loop import EagerLoop
from shared.errors import FAILURE_KEY, ServiceError, error_response
from shared.logging import get_logger, request_context
from shared.request import deadline, identity
from shared.settings import BaseServiceSettings
from shared.telemetry.metrics import ServiceMetrics

_log = get_logger(__name__)

# `str | None` as a type makes a new object at each call.
_TEXT_OR_NONE: Final = (str, type(None))
_OBJECT_OR_NONE: Final = (dict, type(None))

Event = dict[str, Any]
Task = Callable[[Event], Awaitable[dict[str, Any]]]
Handler = Callable[[Event, Any], dict[str, Any]]

FUNCTION_MARGIN_SECONDS: Final = 0.25
"""Kept back of the function's remaining time, for the answer and the flush."""

LONGEST_ANSWER_BYTES: Final = 6_291_556
"""What Lambda takes back from a function, as JSON; one byte more fails the invocation."""

_BROKEN: Final = "The answer broke off on our side; quote the request id when you report it."
_MEASURED_CHARACTERS: Final = 1_000_000  # below, no escape of JSON makes it too long


def lambda_handler(
    app: ASGIApp,
    settings: BaseServiceSettings,
    *,
    tasks: Mapping[str, Task] | None = None,
    keys: ApiKeyProvider | None = None,
) -> Handler:
    """Return a Lambda handler around an ASGI application.

    It answers three kinds of events: API Gateway's, by the application; `{"task": name}`, by the
    task of that name; and `{"test": "secrets"}`, by whether the service can read its own key.
    Anything else gets an error object.

    Args:
        app: The application; its lifespan is not run.
        settings: The service, whose name is the path prefix that the gateway leaves on.
        tasks: What schedulers may ask for.
        keys: Where the service's own key comes from; Secrets Manager by default.
    """
    loop = EagerLoop()
    asyncio.set_event_loop(loop)  # the pooled connections stay on it
    config = Mangum(cast("ASGI", app), lifespan="off").config
    prefix = f"/{settings.service_name}"
    named_tasks = dict(tasks or {})
    own_key = keys or SecretsManagerKeys(
        settings.api_key_secret_name, region=getattr(settings, "aws_region", None)
    )
    metrics = ServiceMetrics(settings.project_name, settings.environment, settings.service_name)
    cold_start = True

    async def direct(event: Event) -> dict[str, Any]:
        if event.get("test") == "secrets":
            return await _secrets_test(settings, own_key)
        name = event.get("task")
        if isinstance(name, str) and name in named_tasks:
            return await _run_task(name, named_tasks[name], event)
        return _unsupported(event, named_tasks)

    def answer(
        event: Event, lambda_context: Any, header: identity.XRayHeader | None, *, is_first: bool
    ) -> dict[str, Any]:
        # Mangum in its parts: it translates events and answers. Which kind of event this is, is
        # known already, and what breaks between the two gets an answer of ours.
        gateway = APIGateway(event, lambda_context, config)
        scope = gateway.scope
        # Starlette strips a root path at a segment's end only: `/api`, and not `/apiary`.
        scope["root_path"] = prefix
        exchange = _Exchange(gateway.body)
        with (
            deadline.scope(_function_ends(lambda_context), *_deadlines(event, scope)),
            tracing.request(header, scope, cold_start=is_first),
        ):
            said = 500  # as the application's own metrics have it, where it raises
            try:
                loop.run_until_complete(app(scope, exchange.receive, exchange.send))
                said = exchange.status or said
                answered = _bounded(gateway(exchange.answer()))
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - answered all the same
                scope[FAILURE_KEY] = error
                answered = _error_answer("internal_error", _BROKEN, {}, exc_info=error)
            if said < 500 <= answered["statusCode"]:
                metrics.add_error()
            scope[tracing.STATUS_KEY] = answered["statusCode"]
            return answered

    def handle(event: Event, lambda_context: Any) -> dict[str, Any]:
        nonlocal cold_start
        if not isinstance(event, dict):
            event = {}
        xray = os.environ.get("_X_AMZN_TRACE_ID")
        header = identity.parse_xray(xray)
        request_id = (
            getattr(lambda_context, "aws_request_id", None) or request_context.new_request_id()
        )
        is_first, cold_start = cold_start, False
        token = request_context.bind(
            request_context.RequestContext(request_id, identity.trace_id_of(header), xray, is_first)
        )
        try:
            if not _is_gateway_event(event):
                with (
                    deadline.scope(_function_ends(lambda_context)),
                    tracing.invocation(header, cold_start=is_first),
                ):
                    return loop.run_until_complete(direct(event))
            try:
                return answer(event, lambda_context, header, is_first=is_first)
            except Exception as error:  # noqa: BLE001 - the application's are answers
                detail = "The event cannot be read."
                return _error_answer("unreadable_event", detail, {}, exc_info=error)
        finally:
            request_context.reset(token)

    tracing.mark_ready()
    return handle


class _Exchange:
    """A request's body and its answer, as ASGI hands them over."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._is_complete = False

    @property
    def status(self) -> int | None:
        """What the application has answered."""
        return self._start["status"] if self._start else None

    async def receive(self) -> Message:
        if self._body is None:
            if not self._is_complete:
                await asyncio.get_running_loop().create_future()  # nobody hangs up on a function
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._start is None:
            self._start = message
        elif message["type"] == "http.response.body" and self._start and not self._is_complete:
            self._parts.append(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
        else:
            raise RuntimeError(f"{message['type']} out of turn")

    def answer(self) -> Response:
        if self._start is None or not self._is_complete:
            raise RuntimeError("the application did not end its answer")
        return {
            "status": self._start["status"],
            "headers": self._start.get("headers", []),
            "body": b"".join(self._parts),
        }


def _bounded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer, or an error that can be read in the place of one that Lambda refuses."""
    if len(answer["body"]) < _MEASURED_CHARACTERS:
        return answer
    # As the runtime client writes it.
    size = len(json.dumps(answer, ensure_ascii=False).encode(errors="surrogatepass"))
    if size <= LONGEST_ANSWER_BYTES:
        return answer
    return _error_answer(
        "response_too_large",
        "The answer is longer than the 6 MB that can be sent; ask for less at a time.",
        answer["headers"],
        bytes=size,
    )


def _error_answer(
    code: str, detail: str, headers: Mapping[str, str], **logged: Any
) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in headers.items()
        if name in {identity.REQUEST_ID_HEADER, "vary"} or name.startswith("access-control-")
    }
    request_id = kept.setdefault(identity.REQUEST_ID_HEADER, request_context.request_id())
    invoked = request_context.current() or request_context.RequestContext(
        request_id, request_context.active_trace_id()
    )
    token = request_context.bind(invoked._replace(request_id=request_id))
    try:
        _log.error(code, **logged)
        response = error_response(500, code, detail)
    finally:
        request_context.reset(token)
    return {
        "statusCode": response.status_code,
        "headers": {**kept, **response.headers},
        "multiValueHeaders": {},
        "body": bytes(response.body).decode(),
        "isBase64Encoded": False,
    }


def _is_gateway_event(event: Event) -> bool:
    # Checked this far because anybody who may invoke the function may send anything.
    return (
        isinstance(event.get("httpMethod"), str)
        and isinstance(event.get("path"), str)
        and isinstance(event.get("resource"), str)
        and isinstance(event.get("requestContext"), dict)
        and isinstance(event.get("body"), _TEXT_OR_NONE)
        and isinstance(event.get("headers"), _OBJECT_OR_NONE)
        and isinstance(event.get("multiValueHeaders"), _OBJECT_OR_NONE)
    )


def _function_ends(lambda_context: Any) -> float | None:
    remaining = getattr(lambda_context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return None
    return float(time.time() + remaining() / 1000 - FUNCTION_MARGIN_SECONDS)


def _deadlines(event: Event, scope: Scope) -> list[float | None]:
    moments: list[float | None] = []
    received = event["requestContext"].get("requestTimeEpoch")
    if isinstance(received, (int, float)) and received > 0:
        moments.append(received / 1000 + deadline.GATEWAY_TIMEOUT_SECONDS - deadline.MARGIN_SECONDS)
    moments.append(deadline.of(scope))
    return moments


async def _secrets_test(settings: BaseServiceSettings, keys: ApiKeyProvider) -> dict[str, Any]:
    answer = {
        "test": "secrets",
        "service": settings.service_name,
        "secret": settings.api_key_secret_name,
    }
    try:
        await keys.current()
    except ServiceError as error:
        _log.error("secrets_test_failed", error=error.code, detail=error.detail)
        return {**answer, "readable": False, "error": error.code, "detail": error.detail}
    _log.info("secrets_test_passed")
    return {**answer, "readable": True}


async def _run_task(name: str, task: Task, event: Event) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        result = await task(event)
    except ServiceError as error:
        _log.error("task_failed", task=name, error=error.code, detail=error.detail)
        return {"task": name, **_failure(error.code, error.detail)}
    except Exception:
        # Raised on, so that Lambda counts a failed invocation and the scheduler tries again.
        _log.exception("task_failed", task=name)
        raise
    _log.info("task_completed", task=name, duration=round(time.perf_counter() - started, 6))
    return {"task": name, **result}


def _unsupported(event: Event, tasks: Mapping[str, Task]) -> dict[str, Any]:
    _log.warning("unsupported_event", keys=sorted(map(str, event))[:20])
    known = ", ".join(sorted(tasks)) or "none"
    detail = (
        "This function takes API Gateway proxy events, {'test': 'secrets'} and tasks "
        f"(known: {known})."
    )
    return _failure("unsupported_event", detail)


def _failure(code: str, detail: str) -> dict[str, Any]:
    return {"error": code, "detail": detail, "request_id": request_context.request_id()}
