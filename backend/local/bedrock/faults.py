"""Failures that a test requests, to see what a service does when Bedrock fails."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

type Operation = Literal["invoke", "converse"]

_ERRORS: dict[str, tuple[int, str]] = {
    "throttle": (429, "Too many requests, please wait before trying again."),
    "refuse": (403, "You don't have access to the model with the specified model ID."),
    "unavailable": (503, "Bedrock is unable to process your request."),
    "error": (500, "The system encountered an unexpected error during processing."),
    "invalid": (400, "Malformed input request, please reformat your input and try again."),
}
_TYPES = {
    "throttle": "ThrottlingException",
    "refuse": "AccessDeniedException",
    "unavailable": "ServiceUnavailableException",
    "error": "InternalServerException",
    "invalid": "ValidationException",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """The error that one request gets."""

    status: int
    error_type: str
    message: str


class Faults:
    """The failures of the next requests, queued by operation. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[str, float]]] = {}
        self._lock = threading.Lock()

    def add(self, operation: str, kind: str, *, times: int = 1, seconds: float = 60.0) -> None:
        """Make the next `times` requests of `operation` fail. The kind `hang` delays an answer by
        `seconds` instead. Raises ValueError for an unknown operation or kind.
        """
        if operation not in {"invoke", "converse"} or kind not in {*_ERRORS, "hang"}:
            raise ValueError(f"unknown fault: {kind!r} of {operation!r}")
        with self._lock:
            queue = self._waiting.setdefault(operation, deque())
            queue.extend([(kind, seconds)] * times)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def next(self, operation: str) -> Failure | None:
        """Take the failure of one request from the queue; None to answer it. Waits for a `hang`."""
        with self._lock:
            queue = self._waiting.get(operation)
            kind, seconds = queue.popleft() if queue else ("", 0.0)
        if kind == "hang":
            time.sleep(seconds)
            return None
        if not kind:
            return None
        status, message = _ERRORS[kind]
        return Failure(status, _TYPES[kind], message)
