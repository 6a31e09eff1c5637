"""What exercises each statement of the roles' policies, for a test that removes them one by one."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from local.aws.server import boto3_client
from local.blueprint import REGION
from local.conftest import RunningUp
from local.demo.documents import QUESTION, documents

type Works = Callable[[RunningUp], bool]
"""Sends the request, and returns whether it got what it asked for."""

NOT_EXERCISED = {
    "WriteOwnLog": "Lambda writes a function's log; here the processes' output is the log",
    "WriteTraces": "the collector and the X-Ray daemon send the spans, not the service",
    "SignUploads": "the URL is signed without a call, and the client of the API sends the file",
    "ReadUploads": "read for an ingestion of an uploaded file; its own tests upload one",
}
"""The statements that no request of these exercises, and why."""


@dataclass(frozen=True)
class Statement:
    """A statement of a service's policies, and the request that needs it.

    `restart`: the service reads what the statement allows once, so that only a new process needs
    it.
    """

    service: str
    sid: str
    action: str
    works: Works
    restart: bool = False

    def __str__(self) -> str:
        return f"{self.service}-{self.sid}"


def load(estate: RunningUp) -> bool:
    """Store the documents that the question is about."""
    answer = _send(estate, "POST", "/api/documents", {"documents": documents()}, ingest=True)
    return answer.status_code == 200


def _send(
    estate: RunningUp, method: str, path: str, body: Any = None, *, ingest: bool = False
) -> httpx.Response:
    headers = estate.ingest_headers if ingest else estate.headers
    url = f"{estate.url}{path}"
    return httpx.request(method, url, json=body, headers=headers, timeout=60, trust_env=False)


def _invoke(estate: RunningUp, service: str, event: Any) -> Any:
    client = boto3_client(
        "lambda", endpoint_url=estate.variables["AWS_ENDPOINT_URL"], region=REGION
    )
    name = f"fin-advisor-dev-{service}"
    return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read())


def _ask(estate: RunningUp) -> bool:
    answer = _send(estate, "POST", "/api/ask", {"question": QUESTION})
    return answer.status_code == 200 and bool(answer.json()["citations"])


def _record(estate: RunningUp) -> bool:
    """Ask, and look for the warning that chat logs where a record is not required."""
    before = estate.log("chat").count("answer_not_recorded")
    return _ask(estate) and estate.log("chat").count("answer_not_recorded") == before


def _search(estate: RunningUp) -> bool:
    answer = _send(estate, "POST", "/api/search", {"text": f"funds {uuid.uuid4()}"})
    return answer.status_code == 200


def _store(estate: RunningUp) -> bool:
    stored = {"documents": [{"id": f"d-{uuid.uuid4()}", "text": "A short text."}]}
    return _send(estate, "POST", "/api/documents", stored, ingest=True).status_code == 200


def _list(estate: RunningUp) -> bool:
    return _send(estate, "GET", "/api/documents").status_code == 200


def _peers(estate: RunningUp) -> bool:
    answer = _send(estate, "GET", "/api/test")
    return answer.status_code == 200 and bool(answer.json()["healthy"])


def _ready(service: str) -> Works:
    return lambda estate: _send(estate, "GET", f"/{service}/readiness").status_code == 200


def _reads_own_key(service: str) -> Works:
    # A function whose process has just been ended answers with an error object.
    event = {"test": "secrets"}
    return lambda estate: _invoke(estate, service, event).get("readable") is True


def _jobs(estate: RunningUp) -> bool:
    return _send(estate, "GET", "/runner/jobs?state=open", ingest=True).status_code == 200


def _start_job(estate: RunningUp) -> Any:
    wanted = {"documents": [{"id": f"i-{uuid.uuid4()}", "text": "A short text."}]}
    return _send(estate, "POST", "/api/ingestions", wanted, ingest=True)


def _ingest(estate: RunningUp) -> bool:
    started = _start_job(estate)
    if started.status_code != 202:
        return False
    path = f"/api/ingestions/{started.json()['id']}"
    for _ in range(3):
        _invoke(estate, "api", {"task": "advance-jobs"})
        if _send(estate, "GET", path, ingest=True).json().get("state") == "succeeded":
            return True
    return False


_SECRET, _PARAMETER = "secretsmanager:GetSecretValue", "ssm:GetParameter"
STATEMENTS = (
    Statement("api", "ReadKeyIds", _PARAMETER, _list, restart=True),
    Statement("api", "ReadOwnKey", _SECRET, _peers, restart=True),
    Statement("chat", "ReadKeyIds", _PARAMETER, _ask, restart=True),
    Statement("chat", "ReadOwnKey", _SECRET, _ask, restart=True),
    Statement("chat", "AskTheModel", "bedrock:InvokeModel", _ask),
    Statement("chat", "KeepConversations", "dynamodb:", _ask),
    Statement("chat", "WriteRecords", "s3:PutObject", _record),
    Statement("chat", "ReadAndCreateKeys", "dynamodb:", _record),
    Statement("s3vector", "ReadKeyIds", _PARAMETER, _search, restart=True),
    Statement("s3vector", "ReadOwnKey", _SECRET, _reads_own_key("s3vector"), restart=True),
    Statement("s3vector", "MakeEmbeddings", "bedrock:InvokeModel", _search),
    Statement("s3vector", "KeepSegments", "s3:", _store),
    Statement("s3vector", "ListSegments", "s3:ListBucket", _ready("s3vector")),
    Statement("runner", "ReadKeyIds", _PARAMETER, _jobs, restart=True),
    Statement("runner", "ReadOwnKey", _SECRET, _ingest, restart=True),
    Statement("runner", "ReadOwnOriginSecret", _SECRET, _jobs, restart=True),
    Statement("runner", "KeepJobs", "s3:", _ingest),
    Statement("runner", "ListBoth", "s3:ListBucket", _jobs),
)
