"""The requests of a load: Locust's users, each of which sends one request after another.

Importing this module imports Locust, which replaces blocking functions of the standard library by
gevent's.
"""

import random
import uuid
from collections.abc import Mapping
from typing import Any

import gevent  # type: ignore[import-untyped]
import httpx
from locust import FastHttpUser, constant, task
from locust.env import Environment

from benchmarks.soak.tally import Answer, Tally
from local.demo.documents import QUESTION, batches, documents

_QUESTIONS = (
    QUESTION,
    "How large should an emergency fund be?",
    "What is an index fund?",
    "How does compound interest work?",
    "What is the difference between a term and a whole life insurance?",
)
_TIMEOUT_SECONDS = 60.0  # the gateway answers within 29
_STEP_SECONDS = 0.1


class Traffic:
    """Users that send requests to a running estate from `start` to `stop`.

    Attributes:
        tally: The requests of the users, and what they got.
    """

    def __init__(self, variables: Mapping[str, str], users: int) -> None:
        self.tally = Tally()
        self._variables = variables
        self._users = users
        self._environment = Environment(
            user_classes=[_caller(variables["API_KEY"], variables["INGEST_API_KEY"])],
            host=variables["API_GATEWAY_URL"],
            stop_timeout=_TIMEOUT_SECONDS,  # requests in flight are waited for
        )
        events = self._environment.events
        events.request.add_listener(self._record)  # type: ignore[no-untyped-call]
        events.user_error.add_listener(self._record_error)  # type: ignore[no-untyped-call]
        self._runner = self._environment.create_local_runner()

    def start(self) -> None:
        """Store the documents that the questions are about, then start all users at once.

        Raises:
            httpx.HTTPError: The documents cannot be stored.
        """
        headers = {"x-api-key": self._variables["INGEST_API_KEY"]}
        url = f"{self._variables['API_GATEWAY_URL']}/api/documents"
        for batch in batches(documents()):
            body = {"documents": batch}
            answer = httpx.post(url, json=body, headers=headers, timeout=_TIMEOUT_SECONDS)
            answer.raise_for_status()
        self._runner.start(self._users, spawn_rate=self._users)

    def wait(self, seconds: float, most_requests: int) -> bool:
        """Wait until the time is over; False if the tally reaches `most_requests` before."""
        for _ in range(round(seconds / _STEP_SECONDS)):
            if self.tally.requests >= most_requests:
                return False
            gevent.sleep(_STEP_SECONDS)
        return self.tally.requests < most_requests

    def stop(self) -> None:
        """End the users, each after its request."""
        self._runner.quit()
        self._runner.greenlet.join()

    def _record(
        self, name: str, response_time: float, response: Any, exception: Any, **_: Any
    ) -> None:
        status = getattr(response, "status_code", 0) or 0
        answer = Answer(
            status,
            dict(response.headers or {}) if status else {},
            (response.text or "") if status >= 300 else "",
            type(exception).__name__ if exception else "",
        )
        self.tally.record(name, answer, response_time / 1000)

    def _record_error(self, exception: Exception, **_: Any) -> None:
        """Count an answer that a user could not read."""
        self.tally.errors[f"user: {exception!r:.200}"] += 1


def _caller(api_key: str, ingest_key: str) -> type[FastHttpUser]:
    """The class of the users: the client's requests, and those of a program that ingests."""
    items = documents()
    ingested = next(iter(batches(items, 3)))
    ask = {"x-api-key": api_key}
    ingest = {"x-api-key": ingest_key}

    class Caller(FastHttpUser):
        wait_time = constant(0)
        network_timeout = _TIMEOUT_SECONDS
        connection_timeout = _TIMEOUT_SECONDS

        @task(6)
        def ask(self) -> None:
            question = {"question": random.choice(_QUESTIONS)}  # noqa: S311 - no secret
            answer = self._send("POST", "/api/ask", question, ask)
            if answer and random.random() < 0.3:  # noqa: S311
                conversation = answer["conversation_id"]
                self._send("POST", "/api/ask", {**question, "conversation_id": conversation}, ask)
                path = f"/api/conversations/{conversation}"
                self._send("DELETE", path, None, ask, "/api/conversations/{id}")

        @task(6)
        def search(self) -> None:
            text = random.choice(_QUESTIONS)  # noqa: S311
            self._send("POST", "/api/search", {"text": text}, ask)

        @task(3)
        def list_documents(self) -> None:
            self._send("GET", "/api/documents?limit=10", None, ask, "/api/documents")

        @task(3)
        def read_document(self) -> None:
            path = f"/api/documents/{random.choice(items)['id']}"  # noqa: S311
            self._send("GET", path, None, ask, "/api/documents/{id}")

        @task(1)
        def store_document(self) -> None:
            document = random.choice(items)  # noqa: S311
            self._send("POST", "/api/documents", {"documents": [document]}, ingest)

        @task(1)
        def run_ingestion(self) -> None:
            key = {**ingest, "idempotency-key": str(uuid.uuid4())}
            job = self._send("POST", "/api/ingestions", {"documents": ingested}, key)
            if job:
                path = f"/api/ingestions/{job['id']}"
                self._send("GET", path, None, ingest, "/api/ingestions/{id}")

        @task(3)
        def check_health(self) -> None:
            for service in ("api", "chat", "s3vector", "runner"):
                self._send("GET", f"/{service}/health", None, ask)

        @task(1)
        def check_all(self) -> None:
            self._send("GET", "/api/test", None, ask)

        def _send(
            self,
            method: str,
            path: str,
            body: dict[str, Any] | None,
            headers: Mapping[str, str],
            name: str | None = None,
        ) -> dict[str, Any] | None:
            """The answer's body, or None where there is none: the listener counts why."""
            answer = self.client.request(
                method, path, headers=dict(headers), json=body, name=f"{method} {name or path}"
            )
            if answer.status_code not in {200, 202}:
                return None
            content: dict[str, Any] = answer.json()
            return content

    return Caller
