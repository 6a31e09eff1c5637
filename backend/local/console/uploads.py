"""Files of the page: stored in the bucket of the jobs, then ingested through the gateway."""

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.server import boto3_client
from local.blueprint import REGION
from local.console.gateway_client import GatewayClient, GatewayError
from local.console.models import FileProblem, Upload
from local.console.parts import Parts

LARGEST_BYTES = 20 * 2**20
"""As the runner takes; `local/tests/test_file_types.py` compares both this and the types."""

_KEPT = 200
_POLL_SECONDS = 0.5
_LONGEST_NAME = 300
_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES = {
    ".txt": "text/plain",
    ".text": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    **dict.fromkeys((".docx", ".docm", ".dotx"), f"{_OFFICE}.wordprocessingml.document"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx"), f"{_OFFICE}.spreadsheetml.sheet"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".potx"), f"{_OFFICE}.presentationml.presentation"),
}


class UnsupportedFileError(ValueError):
    """The file has no name or type that the runner ingests. The message says what to do."""


class Uploads:
    """The latest uploads and their progress; each file is an ingestion of its own."""

    def __init__(self, parts: Parts, gateway: GatewayClient) -> None:
        self._parts = parts
        self._gateway = gateway
        self._uploads: dict[str, Upload] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.changes = 0

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def latest(self) -> list[Upload]:
        """The uploads, newest first."""
        return list(reversed(self._uploads.values()))

    def start(self, name: str, content: bytes) -> Upload:
        """Store a file and ingest it in the background.

        Raises:
            UnsupportedFileError: The name or its ending is not supported.
        """
        key, media_type = _key(name)
        upload = Upload(
            id=secrets.token_hex(8), name=name, size_bytes=len(content), state="waiting"
        )
        self._put(upload)
        while len(self._uploads) > _KEPT:
            del self._uploads[next(iter(self._uploads))]
        self._spawn(self._ingest(upload, key, media_type, content))
        return upload

    def _put(self, upload: Upload) -> None:
        self._uploads[upload.id] = upload
        self.changes += 1

    async def _ingest(self, upload: Upload, key: str, media_type: str, content: bytes) -> None:
        try:
            await asyncio.to_thread(self._store, key, media_type, content)
            job, _ = await self._gateway.call(
                "POST", "/api/ingestions", key="INGEST_API_KEY", json={"prefix": key}
            )
            await self._follow(upload, job)
        except GatewayError as error:
            self._fail(upload, error.detail)
        except (BotoCoreError, ClientError) as error:
            self._fail(upload, f"The bucket did not take the file: {error}")

    def _fail(self, upload: Upload, detail: str) -> None:
        failed = {"state": "failed", "problems": [FileProblem(detail=detail)]}
        self._put(upload.model_copy(update=failed))

    def _store(self, key: str, media_type: str, content: bytes) -> None:
        jobs = next(name for name in self._parts.blueprint.buckets if "-jobs-" in name)
        s3 = boto3_client(
            "s3", endpoint_url=self._parts.variables()["AWS_ENDPOINT_URL"], region=REGION
        )
        s3.put_object(Bucket=jobs, Key=key, Body=content, ContentType=media_type)

    async def _follow(self, upload: Upload, job: dict[str, Any]) -> None:
        """Run the job at once instead of at the scheduler's next minute, and read its progress."""
        running = asyncio.create_task(self._run(job["id"]))
        try:
            while job["state"] in {"pending", "running"}:
                await asyncio.wait([running], timeout=_POLL_SECONDS)
                if running.done():
                    running.result()
                    running = asyncio.create_task(self._run(job["id"]))
                job, _ = await self._gateway.call(
                    "GET", f"/api/ingestions/{job['id']}", key="INGEST_API_KEY", traced=False
                )
                upload = _progress(upload, job)
                self._put(upload)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self, job_id: str) -> None:
        path = f"/runner/jobs/{job_id}/run"
        await self._gateway.call("POST", path, key="INGEST_API_KEY")
        # If the job waits or another worker has it, the call returns at once.
        await asyncio.sleep(_POLL_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _key(name: str) -> tuple[str, str]:
    """The key and the media type of a file. The runner makes the document's id from the key, by the
    rule that `advisor ingest` uses for names: so both call the same file the same document.
    """
    parts = name.split("/")
    ending = "." + name.rpartition(".")[2].lower()
    is_path = name.isprintable() and not any(part in {"", ".", ".."} for part in parts)
    if not is_path or len(name) > _LONGEST_NAME:
        raise UnsupportedFileError(
            f"A file needs a name of 1 to {_LONGEST_NAME} characters, without '..' and without "
            "control characters."
        )
    if ending not in _TYPES:
        raise UnsupportedFileError(f"{ending} is not supported; use {', '.join(_TYPES)}.")
    return f"uploads/{name}", _TYPES[ending]


def _progress(upload: Upload, job: dict[str, Any]) -> Upload:
    states = {"pending": "running", "cancelled": "failed"}
    waiting = job.get("waiting")
    problems = [
        FileProblem(
            detail=one["detail"],
            pages=[(pages["first"], pages["last"]) for pages in one.get("pages", [])],
        )
        for one in job["errors"]
    ]
    if waiting is not None:
        problems.append(FileProblem(detail=f"Waits: {waiting['reason']}"))
    changes = {
        "state": states.get(job["state"], job["state"]),
        "pages": max(job.get("pages_done", 0), upload.pages),
        "problems": problems,
    }
    return upload.model_copy(update=changes)
