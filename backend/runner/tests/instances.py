"""Processes of the service, and a job that goes on while they are killed one after another."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
from botocore.config import Config

from runner.tests.fakes import Store
from shared.access import KEY_ID_HEADER

ORIGIN: Final = "the-origin"
KEY_ID: Final = "the-id-of-apis-key"

_OPERATIONS: Final = (
    "GET /jobs",
    "POST /jobs",
    "GET /jobs/{job_id}",
    "DELETE /jobs/{job_id}",
    "POST /jobs/{job_id}/run",
    "POST /uploads",
)

type Start = Callable[..., "Server"]


def create_surroundings(aws: Mapping[str, str], gateway: Store) -> dict[str, str]:
    """Return the environment of a process of the service; create its bucket, keys and secrets.

    Args:
        aws: Variables for boto3, with `AWS_ENDPOINT_URL` and `AWS_REGION`.
        gateway: Where the service's calls go.
    """
    s3_client(aws).create_bucket(Bucket="the-jobs")
    secrets = _client("secretsmanager", aws)
    secrets.create_secret(Name="fin-advisor/test/runner/api-key", SecretString=gateway.key)
    secrets.create_secret(Name="fin-advisor/test/runner/origin", SecretString=ORIGIN)
    _client("ssm", aws).put_parameter(
        Name="/fin-advisor/test/api-key-ids",
        Value=json.dumps({"api": [KEY_ID]}),
        Type="String",
        Overwrite=True,
    )
    return {
        **aws,
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PROJECT_NAME": "fin-advisor",
        "ENVIRONMENT": "test",
        "SERVICE_NAME": "runner",
        "API_GATEWAY_URL": f"{gateway.url}/dev",
        "JOBS_BUCKET_NAME": "the-jobs",
        "KEY_SCOPES": json.dumps({"operations": {"all": _OPERATIONS}, "keys": {"api": ["all"]}}),
    }


def s3_client(aws: Mapping[str, str]) -> Any:
    """Return a client of the S3 server that the variables name."""
    return _client("s3", aws, s3={"addressing_style": "path"})


def _client(service: Any, aws: Mapping[str, str], **options: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name=aws["AWS_REGION"],
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, **options),
    )


def wait_until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Return as soon as a condition is true.

    Raises:
        AssertionError: It was not in time.
    """
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


@dataclass
class Server:
    """One process of the runner."""

    process: "subprocess.Popen[bytes]"
    log: Path
    url: str = ""
    answers: list[httpx.Response | Exception] = field(default_factory=list)

    @classmethod
    def started(cls, log: Path, environment: Mapping[str, str]) -> "Server":
        """Start a process on a free port; it may not be ready yet."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "runner.server"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PORT": "0", "ORIGIN_CHECK": "true", **environment},
            )
        return cls(process, log)

    def wait_ready(self) -> "Server":
        def address() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            for line in self.log.read_text().splitlines():
                if "running on" in line:
                    port = line.partition("running on http://0.0.0.0:")[2].partition(" ")[0]
                    self.url = f"http://127.0.0.1:{port}"
            return self.url

        wait_until(address)
        return self

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"x-origin-verify": ORIGIN, KEY_ID_HEADER: KEY_ID}  # as the gateway sets them
        return httpx.request(
            method, self.url + path, timeout=30, trust_env=False, headers=headers, **options
        )

    def run_in_background(self, job_id: str) -> threading.Thread:
        def run() -> None:
            try:
                self.answers.append(self.call("POST", f"/jobs/{job_id}/run"))
            except httpx.HTTPError as error:
                self.answers.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def kill(self) -> None:
        """End the process without a chance to clean up, as a machine's failure does."""
        self.process.kill()
        self.process.wait()


def ingest_with_kills(
    start: Start, store: Store, body: dict[str, Any], *, documents: int, kills: int
) -> dict[str, Any]:
    """Return a job that was ingested while instances were killed, evenly spread over it.

    Args:
        start: Starts an instance.
        store: Where the documents go.
        body: The job's body.
        documents: How many documents the job has.
        kills: How many instances are killed, each while it works on the job.
    """
    server, spare = start().wait_ready(), start()
    job = server.call("POST", "/jobs", json=body).json()
    for number in range(1, kills + 1):
        goal = documents * number // (kills + 1)
        runner = _Runs(server, job["id"])
        wait_until(lambda goal=goal: len(store.documents) >= goal, 600)  # type: ignore[misc]
        server.kill()
        runner.join()
        server = spare.wait_ready()
        if number < kills:
            spare = start()
    _Runs(server, job["id"]).join(600)
    found: dict[str, Any] = server.call("GET", f"/jobs/{job['id']}").json()
    return found


class _Runs(threading.Thread):
    """Runs slices of a job until it has ended or the instance is gone."""

    def __init__(self, server: Server, job_id: str) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._path = f"/jobs/{job_id}/run"
        self.start()

    def run(self) -> None:
        try:
            while self._server.call("POST", self._path).json()["state"] in {"pending", "running"}:
                time.sleep(0.05)  # another instance's lease may not have expired
        except httpx.HTTPError:
            pass  # killed
