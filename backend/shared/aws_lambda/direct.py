"""Direct invocations: a scheduler's tasks, and the test whether the service can read its key."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.aws.api_keys import ApiKeyProvider
from shared.errors import ServiceError
from shared.logging import get_logger, request_context
from shared.settings import BaseServiceSettings

_log = get_logger(__name__)

Event = dict[str, Any]
Task = Callable[[Event], Awaitable[dict[str, Any]]]


class DirectInvocations:
    """Answers `{"task": name}` and `{"test": "secrets"}`; anything else gets an error object."""

    def __init__(
        self, settings: BaseServiceSettings, tasks: Mapping[str, Task], keys: ApiKeyProvider
    ) -> None:
        self._settings = settings
        self._tasks = dict(tasks)
        self._keys = keys

    async def answer(self, event: Event) -> dict[str, Any]:
        """Return the result of an event. An unexpected error of a task is raised again."""
        if event.get("test") == "secrets":
            return await self._test_secrets()
        name = event.get("task")
        if isinstance(name, str) and name in self._tasks:
            return await self._run(name, event)
        _log.warning("unsupported_event", keys=sorted(map(str, event))[:20])
        known = ", ".join(sorted(self._tasks)) or "none"
        return _failure(
            "unsupported_event",
            "This function takes API Gateway proxy events, {'test': 'secrets'} and tasks "
            f"(known: {known}).",
        )

    async def _test_secrets(self) -> dict[str, Any]:
        answer = {
            "test": "secrets",
            "service": self._settings.service_name,
            "secret": self._settings.api_key_secret_name,
        }
        try:
            await self._keys.current()
        except ServiceError as error:
            _log.error("secrets_test_failed", error=error.code, detail=error.detail)
            return {**answer, "readable": False, "error": error.code, "detail": error.detail}
        _log.info("secrets_test_passed")
        return {**answer, "readable": True}

    async def _run(self, name: str, event: Event) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            result = await self._tasks[name](event)
        except ServiceError as error:
            _log.error("task_failed", task=name, error=error.code, detail=error.detail)
            return {"task": name, **_failure(error.code, error.detail)}
        except Exception:
            # Raised, so that Lambda counts a failed invocation and the scheduler tries again.
            _log.exception("task_failed", task=name)
            raise
        _log.info("task_completed", task=name, duration=round(time.perf_counter() - started, 6))
        return {"task": name, **result}


def _failure(code: str, detail: str) -> dict[str, Any]:
    return {"error": code, "detail": detail, "request_id": request_context.request_id()}
