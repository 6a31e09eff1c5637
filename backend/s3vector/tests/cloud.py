"""moto's server on a loopback port, with features that it lacks and faults on demand.

The server runs moto's own WSGI application as moto_server does. Added to it, because moto 5.2.5
lacks them:

* moto checks If-Match and then writes, with other requests in between: two conditional writes on
  the same ETag can both succeed. Here they take turns, as they do in S3.
* QueryVectors does not exist in moto: an exact cosine search over moto's vectors is added here.
* ListVectors ignores maxResults and nextToken in moto: paged here.
* InvokeModel answers `{}` in moto: answered here with Titan's body, from words hashed to numbers.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import responses
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from s3vector.filters import parse_filter
from s3vector.store import Vector
from s3vector.tests.fakes import hashed_vector

ACCOUNT = "123456789012"
REGION = "us-east-1"

type WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
type Action = Callable[[Request, Callable[[], Response]], Response]


@dataclass
class Fault:
    """Applies `action` to the next `times` requests of a method whose path contains `path`."""

    method: str
    path: str
    action: Action
    times: int
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def applies_to(self, request: Request) -> bool:
        with self.lock:
            if request.method != self.method or self.path not in unquote(request.path):
                return False
            if self.seen >= self.times:
                return False
            self.seen += 1
            return True


class Cloud:
    """An AWS on this machine; start it with `with cloud.running():`.

    Args:
        latency_seconds: How long each request waits before it is served; many wait at once.
    """

    def __init__(self, *, latency_seconds: float = 0.0) -> None:
        self._latency_seconds = latency_seconds
        self._moto: WsgiApp = DomainDispatcherApplication(create_backend_app)
        self._turns = threading.Lock()
        self._faults: list[Fault] = []
        self._calls: list[tuple[str, str]] = []
        self._released = threading.Event()
        self.endpoint_url = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.endpoint_url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            self._released.set()
            server.shutdown()
            server.server_close()
            thread.join(10)

    def client(
        self, service: str, *, read_timeout: float = 20, attempts: int = 3, connections: int = 32
    ) -> Any:
        """A real boto3 client, configured as `shared.aws` configures it."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(
                connect_timeout=2,
                read_timeout=read_timeout,
                retries={"mode": "adaptive", "total_max_attempts": attempts},
                max_pool_connections=connections,
            ),
        )

    @contextmanager
    def fault(self, method: str, path: str, action: Action, *, times: int = 1) -> Iterator[Fault]:
        """Apply an action to matching requests until the `with` block ends."""
        fault = Fault(method, path, action, times)
        self._faults.append(fault)
        try:
            yield fault
        finally:
            self._faults.remove(fault)

    def calls(self, path: str) -> list[tuple[str, str]]:
        """Methods and paths of the requests so far whose path contains `path`."""
        return [one for one in self._calls if path in one[1]]

    # Actions

    def landed_but_failed(self, _request: Request, serve: Callable[[], Response]) -> Response:
        """Execute the request but answer 500."""
        serve()
        return _xml_error(500, "InternalError")

    def hang(self, _request: Request, _serve: Callable[[], Response]) -> Response:
        """Never answer while the cloud runs."""
        self._released.wait(60)
        return _xml_error(500, "InternalError")

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if self._latency_seconds:
            time.sleep(self._latency_seconds)
        request = Request(environ)
        self._calls.append((request.method, unquote(request.path)))

        def serve() -> Response:
            return self._answer(request, environ)

        for fault in list(self._faults):
            if fault.applies_to(request):
                return fault.action(request, serve)(environ, start)
        return serve()(environ, start)

    def _answer(self, request: Request, environ: dict[str, Any]) -> Response:
        if request.path == "/QueryVectors":
            return _query_vectors(request.get_json())
        if request.path == "/ListVectors":
            return _list_vectors(request.get_json())
        if request.path.endswith("/invoke") and "/model/" in request.path:
            return _embed(request.get_json(force=True))
        if "If-Match" in request.headers or (
            request.method == "PUT" and "If-None-Match" in request.headers
        ):
            with self._turns:
                return Response.from_app(self._moto, environ)
        return Response.from_app(self._moto, environ)


def fails_with(status: int, code: str) -> Action:
    """Answer with an S3 error (XML) instead of executing the request."""
    return lambda _request, _serve: _xml_error(status, code)


def fails_with_json(status: int, code: str) -> Action:
    """Answer with an error of a JSON protocol instead of executing the request."""
    return lambda _request, _serve: _json_error(status, code)


def answers_with(body: bytes) -> Action:
    """Answer with a body instead of executing the request."""
    return lambda _request, _serve: Response(body, 200, content_type="application/json")


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Tests print nothing."""


def _xml_error(status: int, code: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{responses[status]}</Message></Error>"
    return Response(body, status, content_type="application/xml")


def _json_error(status: int, code: str) -> Response:
    body = json.dumps({"message": responses[status]})
    headers = {"x-amzn-errortype": code}
    return Response(body, status, headers=headers, content_type="application/json")


def _vectors(body: dict[str, Any]) -> tuple[int, list[Any]]:
    backend = get_backend("s3vectors")[ACCOUNT]["aws"]
    index = backend.get_index(body["vectorBucketName"], body["indexName"], "")
    return index.dimension, sorted(index.vectors.values(), key=lambda one: str(one.key))


def _query_vectors(body: dict[str, Any]) -> Response:
    dimension, vectors = _vectors(body)
    query: list[float] = body["queryVector"]["float32"]
    if not 1 <= body["topK"] <= 100 or len(query) != dimension or not any(query):
        return _json_error(400, "ValidationException")
    # Callers of the service may not filter by keys with an underscore; the service itself may.
    text = json.dumps(body.get("filter"))
    where = parse_filter(json.loads(text, object_pairs_hook=_plain)) if "filter" in body else None
    found = []
    for one in vectors:
        # `_passage` is declared non-filterable: a filter does not see it.
        seen = _plain((k, v) for k, v in one.metadata.items() if k != "_passage")
        if where and not where.matches(seen):
            continue
        found.append((_cosine_distance(query, one.data["float32"]), one))
    found.sort(key=lambda pair: pair[0])
    answer = [
        {
            "key": one.key,
            **({"distance": distance} if body.get("returnDistance") else {}),
            **({"metadata": one.metadata} if body.get("returnMetadata") else {}),
        }
        for distance, one in found[: body["topK"]]
    ]
    return _json({"vectors": answer, "distanceMetric": "cosine"})


def _plain(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {f"x{key}" if key.startswith("_") else key: value for key, value in items}


def _list_vectors(body: dict[str, Any]) -> Response:
    _, vectors = _vectors(body)
    token = body.get("nextToken")
    if token is not None and not token.isdigit():
        return _json_error(400, "ValidationException")
    start, count = int(token or 0), body.get("maxResults", 500)
    page = vectors[start : start + count]
    answer: dict[str, Any] = {
        "vectors": [{"key": one.key, "metadata": one.metadata} for one in page]
    }
    if start + count < len(vectors):
        answer["nextToken"] = str(start + count)
    return _json(answer)


def _embed(body: dict[str, Any]) -> Response:
    vector: Vector = hashed_vector(body["inputText"], body["dimensions"])
    return _json({"embedding": list(vector), "inputTextTokenCount": 1})


def _json(body: Any) -> Response:
    return Response(json.dumps(body), 200, content_type="application/json")


def _cosine_distance(one: list[float], other: list[float]) -> float:
    dot = sum(map(float.__mul__, map(float, one), map(float, other)))
    return 1 - dot / (math.hypot(*one) * math.hypot(*other))
