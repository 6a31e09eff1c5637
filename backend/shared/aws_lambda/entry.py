"""The entry of every Lambda function: gateway events, tasks and direct invocations."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.handlers import APIGateway
from mangum.types import LambdaConfig
from starlette.types import ASGIApp, Scope

from shared import tracing
from shared.aws.api_keys import ApiKeyProvider, SecretsManagerKeys
from shared.aws_lambda.answers import Exchange, bounded, error_answer
from shared.aws_lambda.asgi_scope import asgi_scope
from shared.aws_lambda.direct import DirectInvocations, Event, Task
from shared.aws_lambda.streamed import AnswerBroken, StreamedExchange, Write, write_answer
from shared.errors import FAILURE_KEY
from shared.logging import request_context
from shared.request import deadline, identity
from shared.settings import BaseServiceSettings
from shared.telemetry.metrics import ServiceMetrics
from shared.telemetry.scope import STATUS_KEY

FUNCTION_MARGIN_SECONDS: Final = 0.25
"""Reserved of the function's remaining time, to return the answer and to export spans."""

MANGUM_CONFIG: Final = LambdaConfig(
    api_gateway_base_path="/", text_mime_types=DEFAULT_TEXT_MIME_TYPES, exclude_headers=[]
)
_BROKEN: Final = "The answer broke off on our side; quote the request id when you report it."


def lambda_handler(
    app: ASGIApp,
    settings: BaseServiceSettings,
    *,
    tasks: Mapping[str, Task] | None = None,
    keys: ApiKeyProvider | None = None,
    streams: Iterable[str] = (),
) -> "LambdaHandler":
    """Return a Lambda handler around an ASGI application.

    It answers three kinds of events: API Gateway's, by the application; `{"task": name}`, by the
    task of that name; and `{"test": "secrets"}`, by whether the service can read its own key.
    Anything else gets an error object.

    Args:
        app: The application; its lifespan is not run. If it traces, tracing is configured by now.
        settings: The service. Its name is the path prefix that the gateway does not remove.
        tasks: What a scheduler may start, by name.
        keys: Where the service's own key comes from; Secrets Manager by default.
        streams: The paths within the service whose answers are streamed, where the gateway has a
            resource of its own for them and `shared.aws_lambda.runtime` runs the handler.
    """
    keys = keys or SecretsManagerKeys(
        settings.api_key_secret_name, region=getattr(settings, "aws_region", None)
    )
    direct = DirectInvocations(settings, tasks or {}, keys)
    return LambdaHandler(app, settings, direct, streams=streams)


class LambdaHandler:
    """Answers the invocations of a function, one at a time. Use `lambda_handler` to make one."""

    def __init__(
        self,
        app: ASGIApp,
        settings: BaseServiceSettings,
        direct: DirectInvocations,
        *,
        streams: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._direct = direct
        self._root_path = f"/{settings.service_name}"
        self._streams = frozenset(f"{self._root_path}{path}" for path in streams)
        self._stream_seconds = settings.stream_timeout_seconds
        self._metrics = ServiceMetrics(
            settings.project_name, settings.environment, settings.service_name
        )
        self._traced: Callable[..., AbstractContextManager[None]] = lambda *_: nullcontext()
        if tracing.is_configured():
            # Imported here: a function without tracing does not load it.
            from shared.aws_lambda.invocation import traced_invocation

            self._traced = traced_invocation
        # One loop for all invocations: pooled connections belong to it.
        self._loop = asyncio.new_event_loop()
        self._is_cold = True
        self._ready_ns = time.time_ns()

    def __call__(self, event: Any, lambda_context: Any) -> dict[str, Any]:
        """Return the answer to one event."""
        return self._invoke(event, lambda_context, None) or {}

    def streams(self, event: Any) -> bool:
        """Whether the gateway expects the answer to an event in pieces."""
        return (
            isinstance(event, dict)
            and event.get("resource") in self._streams
            and _is_gateway_event(event)
        )

    def stream(self, event: Event, lambda_context: Any, write: Write) -> None:
        """Write the answer to one event that `streams` accepts.

        Raises:
            AnswerBroken: The application failed in the middle of its answer.
        """
        self._invoke(event, lambda_context, write)

    def _invoke(
        self, event: Any, lambda_context: Any, write: Write | None
    ) -> dict[str, Any] | None:
        """Return the answer to an event, or write it."""
        if not isinstance(event, dict):
            event = {}
        raw_header = os.environ.get("_X_AMZN_TRACE_ID")
        header = identity.parse_xray(raw_header)
        known_id = getattr(lambda_context, "aws_request_id", None)
        is_cold, self._is_cold = self._is_cold, False
        ready_ns = self._ready_ns if is_cold else None
        invocation = request_context.RequestContext(
            known_id or request_context.new_request_id(),
            identity.trace_id_of(header),
            raw_header,
            is_cold,
        )
        token = request_context.bind(invocation)
        try:
            if _is_gateway_event(event):
                return self._answer_gateway(
                    event, lambda_context, header=header, ready_ns=ready_ns, write=write
                )
            limit = deadline.scope(_function_deadline(lambda_context))
            with limit, self._traced(header, ready_ns):
                return self._loop.run_until_complete(self._direct.answer(event))
        finally:
            request_context.reset(token)

    def close(self) -> None:
        """Close the event loop; a function's own lives as long as its process."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _answer_gateway(
        self,
        event: Event,
        lambda_context: Any,
        *,
        header: identity.XRayHeader | None,
        ready_ns: int | None,
        write: Write | None,
    ) -> dict[str, Any] | None:
        seconds = self._stream_seconds if write else deadline.GATEWAY_TIMEOUT_SECONDS
        try:
            # Only Mangum's translation of events and answers: a `Mangum` object answers the
            # application's errors itself, in plain text.
            gateway = APIGateway(event, lambda_context, MANGUM_CONFIG)
            scope = asgi_scope(gateway)
            # Starlette removes a root path only at the end of a segment: `/api`, not `/apiary`.
            scope["root_path"] = self._root_path
            with (
                deadline.scope(
                    _function_deadline(lambda_context),
                    _gateway_deadline(event, seconds),
                    deadline.of(scope),
                ),
                self._traced(header, ready_ns, scope),
            ):
                if write is None:
                    return self._run_application(gateway, scope)
                self._stream_application(gateway, scope, write)
                return None
        except AnswerBroken:
            raise
        except Exception as error:  # noqa: BLE001 - the application's own errors are answered below
            detail = "The event cannot be read."
            answer = error_answer("unreadable_event", detail, {}, exc_info=error)
            if write is None:
                return answer
            write_answer(answer, write)
            return None

    def _run_application(self, gateway: APIGateway, scope: Scope) -> dict[str, Any]:
        exchange = Exchange(gateway.body)
        try:
            self._loop.run_until_complete(self._app(scope, exchange.receive, exchange.send))
            answer = bounded(gateway(exchange.answer()))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - answered all the same
            scope[FAILURE_KEY] = error
            answer = error_answer("internal_error", _BROKEN, {}, exc_info=error)
        # The application's metrics count an error if it raised or answered with 500 or above.
        if (exchange.status or 500) < 500 <= answer["statusCode"]:
            self._metrics.add_error()
        scope[STATUS_KEY] = answer["statusCode"]
        return answer

    def _stream_application(self, gateway: APIGateway, scope: Scope, write: Write) -> None:
        exchange = StreamedExchange(gateway, write)
        try:
            self._loop.run_until_complete(self._app(scope, exchange.receive, exchange.send))
            exchange.answer()  # raises if it is not complete
        except (Exception, asyncio.CancelledError) as error:
            scope[FAILURE_KEY] = error
            scope[STATUS_KEY] = 500
            answer = error_answer("internal_error", _BROKEN, {}, exc_info=error)
            if (exchange.status or 500) < 500:
                self._metrics.add_error()
            if exchange.has_begun:
                raise AnswerBroken(_BROKEN) from error
            write_answer(answer, write)
            return
        scope[STATUS_KEY] = exchange.status


def _is_gateway_event(event: Event) -> bool:
    # Checked in this detail because whoever may invoke the function may send anything.
    return (
        isinstance(event.get("httpMethod"), str)
        and isinstance(event.get("path"), str)
        and isinstance(event.get("resource"), str)
        and isinstance(event.get("requestContext"), dict)
        and isinstance(event.get("body"), str | None)
        and isinstance(event.get("headers"), dict | None)
        and isinstance(event.get("multiValueHeaders"), dict | None)
    )


def _function_deadline(lambda_context: Any) -> float | None:
    remaining = getattr(lambda_context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return None
    return float(time.time() + remaining() / 1000 - FUNCTION_MARGIN_SECONDS)


def _gateway_deadline(event: Event, timeout_seconds: float) -> float | None:
    received = event["requestContext"].get("requestTimeEpoch")
    if not isinstance(received, (int, float)) or received <= 0:
        return None
    answered_by = float(received / 1000 + timeout_seconds)
    # Nobody waits for the answer to an older event: it is a sample, sent for a test.
    return answered_by - deadline.MARGIN_SECONDS if time.time() < answered_by else None
