"""A fake gateway with prepared answers."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from api.settings import Settings
from shared.api_client import ServiceAPIClient
from shared.testing import FakeKeys

SETTINGS = Settings(
    project_name="fin-advisor",
    environment="test",
    service_name="api",
    api_gateway_url="http://gateway.test/dev",
    peer_services="chat,s3vector,runner",
    enable_service_api_keys=False,
)

Answer = httpx.Response | Callable[[httpx.Request], httpx.Response]


class Gateway:
    """Answers requests with the response prepared for `METHOD /path`, and records them.

    Paths are relative to the stage. An unknown path gets the gateway's 403.
    """

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/dev")
        answer = self.answers.get(f"{request.method} {path}")
        if answer is None:
            return httpx.Response(403, json={"message": "Missing Authentication Token"})
        return answer(request) if callable(answer) else answer

    def client(self) -> ServiceAPIClient:
        """Return a client that calls this gateway without retries."""
        return ServiceAPIClient(
            settings=SETTINGS,
            keys=FakeKeys("api-key"),
            transport=httpx.MockTransport(self),
            attempts=1,
        )

    def sent(self, number: int = 0) -> dict[str, Any]:
        """Return the JSON body of a request."""
        body: dict[str, Any] = json.loads(self.requests[number].content)
        return body


def job(state: str = "running", job_id: str = "job-1") -> dict[str, Any]:
    """Return a job in the runner's JSON."""
    return {
        "id": job_id,
        "state": state,
        "total": 3,
        "done": 1,
        "failed": 0,
        "errors": [],
        "created_at": "2026-01-02T03:04:05.000Z",
        "updated_at": "2026-01-02T03:04:06.000Z",
    }
