"""A fake API on a loopback socket: it stores what is ingested, and fails on demand."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

type Reply = tuple[int, Any]

TIME = "2026-01-02T03:04:05.000Z"
ANSWER = {
    "answer": "Keep three months [1].",
    "status": "answered",
    "citations": [
        {
            "marker": 1,
            "document_id": "fund",
            "passage_id": "fund#0",
            "title": "Funds",
            "page": 2,
            "quote": "Three months.",
            "start": 0,
            "end": 13,
            "spans": [{"start": 0, "end": 22}],
            "score": 0.5,
        }
    ],
    "disclosure": "An AI wrote this.",
    "answer_id": "a_1",
    "conversation_id": "c_1",
    "trace_id": "6b0af7f06df12587c75f74d56d907bc0",
    "request_id": "r-1",
}


def job(job_id: str, **fields: Any) -> dict[str, Any]:
    """Return an ingestion that has not begun, except for `fields`."""
    started = {"id": job_id, "state": "pending", "total": None, "done": 0, "failed": 0}
    return started | {"errors": [], "created_at": TIME, "updated_at": TIME} | fields


class FakeApi:
    """The routes that the client calls.

    `replies` replaces the reply to `METHOD /path`. `problems` gives, by document id, the error
    of an ingestion. `may_run` is whether the key may run slices; without, `ingestion` ends a job.
    """

    def __init__(self) -> None:
        self.url = ""
        self.replies: dict[str, Callable[[Any], Reply]] = {}
        self.problems: dict[str, dict[str, Any]] = {}
        self.may_run = True
        self.documents: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    def count(self, start: str) -> int:
        """Return how many requests begin with a method and path."""
        return sum(f"{method} {path}".startswith(start) for method, path, _ in self.requests)

    def respond(  # noqa: PLR0911 - one for each route
        self, method: str, path: str, headers: dict[str, str], content: bytes
    ) -> Reply:
        """Return the reply to a request."""
        self.requests.append((method, path, headers))
        if f"{method} {path}" in self.replies:
            return self.replies[f"{method} {path}"](content)
        match method, path.split("/")[1:]:
            case "POST", ["dev", "api", "ask"]:
                return 200, ANSWER
            case "GET", ["dev", "api", "documents"]:
                stored = {"version": "1", "updated_at": TIME, "passages": 1}
                listed = [{"id": key, **stored, **one} for key, one in self.documents.items()]
                return 200, {"documents": listed, "cursor": None}
            case "POST", ["dev", "api", "uploads"]:
                asked = json.loads(content)
                where = {
                    "url": f"{self.url}/s3/{asked['sha256']}",
                    "method": "PUT",
                    "expires_at": TIME,
                }
                is_stored = asked["sha256"] in self.uploads
                return 201, where | {"id": asked["sha256"], "headers": {}, "is_stored": is_stored}
            case "PUT", ["s3", digest]:
                self.uploads[digest] = content
                return 200, {}
            case "POST", ["dev", "api", "ingestions"]:
                return 202, self._job(f"job-{headers['idempotency-key']}", json.loads(content))
            case "DELETE", ["dev", "api", "ingestions", job_id]:
                del self.jobs[job_id]
                return 204, None
            case "GET", ["dev", "api", "ingestions", job_id]:
                return 200, self._ended(job_id)
            case "POST", ["dev", "runner", "jobs", job_id, "run"] if self.may_run:
                return 200, self._ended(job_id)
            case _:
                return 403, {"message": "Forbidden"}

    def _job(self, job_id: str, body: Any) -> dict[str, Any]:
        return self.jobs.setdefault(job_id, job(job_id) | {"documents": body["documents"]})

    def _ended(self, job_id: str) -> dict[str, Any]:
        job = self.jobs[job_id]
        for document in job["documents"]:
            problem = self.problems.get(document["id"])
            if problem:
                job["errors"].append(problem | {"document_id": document["id"]})
            if not problem or problem.get("pages"):
                content = (
                    base64.b64decode(document["data"])
                    if "data" in document
                    else self.uploads[document["upload"]]
                )
                metadata = document["metadata"]
                self.documents[document["id"]] = {"metadata": metadata, "content": content.decode()}
        job["failed"] = sum(not one.get("pages") for one in job["errors"])
        job["done"] = len(job["documents"]) - job["failed"]
        job["state"] = "partial" if job["errors"] else "succeeded"
        return job

    @contextmanager
    def serving(self) -> Iterator["FakeApi"]:
        """Serve on a free loopback port."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                path = urlsplit(self.path).path
                status, reply = outer.respond(self.command, path, headers, content)
                body = b"" if reply is None else json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = _handle

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
