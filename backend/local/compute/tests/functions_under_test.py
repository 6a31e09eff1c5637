"""Small Lambda handlers that answer, fail, sleep or exit as their event says."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

_CALLS = 0


def echo(event: Any, context: Any) -> dict[str, Any]:
    """Return the event, the process id, the environment and the context."""
    global _CALLS  # noqa: PLW0603 - a warm environment keeps its state
    _CALLS += 1
    body = {
        "event": event,
        "pid": os.getpid(),
        "calls": _CALLS,
        "function": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "request_id": context.aws_request_id,
        "environment": dict(os.environ),
    }
    print(json.dumps({"event": "echoed", "request_id": context.aws_request_id}), flush=True)
    return {"statusCode": 200, "body": json.dumps(body)}


def plain(event: Any, context: Any) -> Any:
    """Return `answer` of the event after `sleep` seconds; or end, raise, return `size` bytes."""
    time.sleep(event.get("sleep", 0))
    if "exit" in event:
        os._exit(event["exit"])
    if "signal" in event:
        os.kill(os.getpid(), event["signal"])
    if "raise" in event:
        raise ValueError(event["raise"])
    if "size" in event:
        return "x" * event["size"]
    return event.get("answer")


def web(event: Any, context: Any) -> Any:
    """`plain` behind the gateway: its event is the request's body."""
    return plain(json.loads(event["body"] or "{}"), context)


class _Streaming:
    """Streams the `pieces` of an event, then fails or ends the process if the event says so."""

    def __call__(self, event: Any, context: Any) -> Any:
        return plain(event, context) if "pieces" not in event else echo(event, context)

    def streams(self, event: Any) -> bool:
        return "pieces" in _asked(event)

    def stream(self, event: Any, context: Any, write: Callable[[bytes], None]) -> None:
        asked = _asked(event)
        for piece in asked["pieces"]:
            write(piece.encode())
            time.sleep(asked.get("pause", 0))
        plain({"answer": None, **asked}, context)


def _asked(event: Any) -> dict[str, Any]:
    """Return an event, or the JSON in the body of an event of the gateway."""
    body = event.get("body") if isinstance(event, dict) else None
    asked: Any = json.loads(body) if body else event
    return asked if isinstance(asked, dict) else {}


streaming = _Streaming()
