"""What a deployed environment is asked: a check passes, or says in one sentence what is wrong."""

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from deploy.aws import client
from deploy.traffic import Alias

_POLL_SECONDS: Final = 2.0
_NEW_KEY_SECONDS: Final = 180
_CALLED_BY_API: Final = ("chat", "s3vector", "runner")


class Wrong(Exception):
    """A check did not pass; the message says what it saw."""


class KeyRefused(Wrong):
    """The gateway refused the key. It refuses a new one for its first seconds or minutes."""


@dataclass(frozen=True)
class Outcome:
    """One check and its result; `problem` is None where it passed."""

    name: str
    problem: str | None
    seconds: float


def attempt(name: str, check: Callable[[], object], patience_seconds: float = 0) -> Outcome:
    """Run a check until it passes or patience ends; with a refused key it ends later."""
    started = time.monotonic()
    while True:
        patience = patience_seconds
        try:
            check()
        except (Wrong, httpx.HTTPError) as error:
            problem = str(error) or type(error).__name__
            if isinstance(error, KeyRefused) and patience:
                patience = max(patience, _NEW_KEY_SECONDS)
        else:
            return Outcome(name, None, time.monotonic() - started)
        waited = time.monotonic() - started
        if waited >= patience:
            return Outcome(name, problem, waited)
        time.sleep(min(_POLL_SECONDS, patience - waited))


class Gateway:
    """The environment as a client reaches it.

    Args:
        url: Its stage's URL.
        key: A client's API key, or None where keys are off.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"x-api-key": key} if key else {}

    def get(self, path: str, *, trace_id: str | None = None) -> Any:
        """Return what a path answers with 200.

        Raises:
            Wrong: Another status, or no JSON.
        """
        headers = dict(self._headers)
        if trace_id:
            headers["X-Amzn-Trace-Id"] = f"Root={trace_id};Sampled=1"
        response = httpx.get(self._url + path, headers=headers, timeout=httpx.Timeout(35))
        if response.status_code != 200:
            kind = KeyRefused if response.status_code == 403 else Wrong
            raise kind(f"{path} answered {response.status_code}: {response.text[:200]}")
        try:
            return response.json()
        except ValueError:
            raise Wrong(f"{path} answered something that is not JSON") from None

    def test(self, trace_id: str | None = None) -> dict[str, Any]:
        """Ask `/api/test`: every service has to be healthy, as `api` sees it by the gateway.

        Returns:
            The answer, whose `trace_id` has 32 hexadecimal digits.
        """
        answer = self.get("/api/test", trace_id=trace_id)
        if not isinstance(answer, dict) or not isinstance(answer.get("services"), dict):
            raise Wrong(f"/api/test answered {str(answer)[:200]}")
        sick = [
            f"{name} ({answer['services'].get(name, {}).get('error') or 'missing'})"
            for name in _CALLED_BY_API
            if not answer["services"].get(name, {}).get("healthy")
        ]
        if sick or not answer.get("healthy"):
            raise Wrong(f"unhealthy: {', '.join(sick) or 'api'}")
        return answer


def secrets_exist(names: Mapping[str, str]) -> None:
    """The secrets that Terraform names are there, and nobody has deleted one since."""
    secrets_manager = client("secretsmanager")
    missing = []
    # One by one: a list would need a permission on all secrets of the account.
    for name in sorted(names.values()):
        try:
            if "DeletedDate" in secrets_manager.describe_secret(SecretId=name):
                missing.append(name)
        except secrets_manager.exceptions.ResourceNotFoundException:
            missing.append(name)
    if missing:
        raise Wrong(f"no secret {', '.join(missing)}")


def reads_own_key(target: Alias) -> None:
    """A function, invoked as `{"test": "secrets"}`, reads its own key."""
    answer = _invoke(target, {"test": "secrets"})
    if answer.get("readable") is not True:
        raise Wrong(f"{target.function} cannot read its key: {answer.get('detail') or answer}")


def answers_directly(target: Alias, service: str) -> None:
    """A version answers its health path when it is invoked beside the gateway."""
    answer = _invoke(target, _proxy_event(f"/{service}/health"))
    if answer.get("statusCode") != 200:
        raise Wrong(f"{target.function} version {target.version} answered {str(answer)[:200]}")


def loads(target: Alias) -> None:
    """A function that serves no HTTP starts: it may refuse the question, but not fail."""
    _invoke(target, {"test": "start"})


def new_trace_id() -> str:
    """Return a trace id in X-Ray's form."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def trace_goes_on(gateway: Gateway, trace_id: str) -> None:
    """A call that belongs to a trace is answered in that trace."""
    seen = str(gateway.test(trace_id).get("trace_id"))
    if seen != trace_id.replace("-", "")[1:]:
        raise Wrong(f"sent the trace {trace_id}, and api answered in {seen}")


def trace_arrived(trace_id: str, begin: float) -> None:
    """X-Ray has a trace of ours. `begin` is in epoch seconds."""
    pages = client("xray").get_paginator("get_trace_summaries")
    # Ids and not a filter expression: a summary is found sooner than its annotations.
    for page in pages.paginate(StartTime=begin - 60, EndTime=time.time() + 60):
        if any(item["Id"] == trace_id for item in page["TraceSummaries"]):
            return
    raise Wrong(f"X-Ray has no trace {trace_id} yet")


def _invoke(target: Alias, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = client("lambda").invoke(
        FunctionName=target.function,
        Qualifier=target.version,
        Payload=json.dumps(event).encode(),
    )
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise Wrong(f"{target.function} version {target.version} failed: {payload[:300]!r}")
    try:
        parsed = json.loads(payload)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Wrong(f"{target.function} answered {payload[:200]!r}")
    return parsed


def _proxy_event(path: str) -> dict[str, Any]:
    stage = os.environ.get("ENVIRONMENT", "deploy")
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": {"accept": "application/json"},
        "multiValueHeaders": {"accept": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "stage": stage,
            "path": f"/{stage}{path}",
            "httpMethod": "GET",
            "requestId": secrets.token_hex(16),
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }
