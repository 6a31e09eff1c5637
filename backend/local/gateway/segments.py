"""The spans that AWS's services record: of the gateway's stage and of a function's invocations."""

import time
from collections.abc import Callable, Sequence

from local.gateway.exchange import Answer, GatewayRequest
from local.traces.spans import Span, plain_trace_id

type Record = Callable[[Sequence[Span]], None]

GATEWAY = "gateway"
LAMBDA = "lambda"


def gateway_segment(request: GatewayRequest, answer: Answer) -> Span:
    """The segment of a request at the gateway, from its arrival until now."""
    return Span(
        trace_id=plain_trace_id(request.trace.root),
        span_id=request.trace.parent,
        parent_id=request.caller_span,
        service=GATEWAY,
        name=f"{request.method} {request.raw_path}",
        kind="SERVER",
        start_ns=int(request.started_at * 1e9),
        end_ns=time.time_ns(),
        status="ERROR" if answer.status >= 500 else "UNSET",
        attributes={
            "http.request.method": request.method,
            "url.path": request.raw_path,
            "http.response.status_code": answer.status,
            "aws.request_id": request.request_id,
        },
    )


def function_segment(
    request: GatewayRequest, span_id: str, function_name: str, start_ns: int, *, failed: bool
) -> Span:
    """The segment of an invocation, from `start_ns` until now. It includes the wait for an
    environment.
    """
    return Span(
        trace_id=plain_trace_id(request.trace.root),
        span_id=span_id,
        parent_id=request.trace.parent,
        service=LAMBDA,
        name=function_name,
        kind="SERVER",
        start_ns=start_ns,
        end_ns=time.time_ns(),
        status="ERROR" if failed else "UNSET",
        attributes={"faas.name": function_name},
    )
