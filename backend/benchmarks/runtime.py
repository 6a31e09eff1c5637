"""Runs one execution environment of a packaged function under AWS's runtime client."""

import ctypes
import http.server
import json
import os
import queue
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final, Self

ANSWER_SECONDS: Final = 60.0
_ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"
_NEXT: Final = "/next"
_TRACE: Final = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class LoopbackServer(ThreadingMixIn, http.server.HTTPServer):
    """An HTTP server on a free loopback port, in threads of this process.

    With `tls` it speaks HTTPS; the handshake happens in the thread of the connection.
    """

    daemon_threads = True

    def __init__(
        self,
        handler: type[http.server.BaseHTTPRequestHandler],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        if tls is not None:
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a killed function resets its connection."""


class QuietHandler(http.server.BaseHTTPRequestHandler):
    """Keeps connections alive and prints nothing."""

    protocol_version = "HTTP/1.1"
    # Buffered, so that headers and body leave in one TCP segment: a second segment would wait 40 ms
    # for the acknowledgement of the first.
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def body(self) -> bytes:
        """Return the request's body."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Print nothing."""


class FunctionFailed(Exception):
    """The function did not answer, or answered an error."""


class Environment:
    """A function's process, from its spawn to its end.

    Args:
        task: The unpacked package.
        variables: The function's environment.
        runtime_client: A folder with AWS's runtime client; the process sees no other package.

    Attributes:
        answer_seconds: The time from the spawn to the last answer.
    """

    answer_seconds: float

    def __init__(self, task: Path, variables: Mapping[str, str], *, runtime_client: Path) -> None:
        self._events: queue.Queue[bytes] = queue.Queue()
        self._reports: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = LoopbackServer(_runtime_api(self._events, self._reports))
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((str(task), str(runtime_client))),
            "AWS_LAMBDA_RUNTIME_API": self._server.address,
            "LAMBDA_TASK_ROOT": str(task),
            "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only on Lambda
            **variables,
        }
        self._spawned = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            # The interpreter behind the virtual environment's link: it ignores the site-packages.
            [os.path.realpath(sys.executable), "-m", "awslambdaric", "lambda_function.handler"],
            cwd=task,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Send an event, wait until Lambda would freeze the environment, and return the answer.

        Raises:
            FunctionFailed: The function died, took too long, or answered anything but a 200.
        """
        self._events.put(json.dumps(event).encode())
        while (report := self._report())[0].endswith(_NEXT):
            pass  # asking for the first event ends the initialisation
        self.answer_seconds = time.perf_counter() - self._spawned
        path, body = report
        answer: dict[str, Any] = json.loads(body)
        if not path.endswith("/response") or answer.get("statusCode") != 200:
            raise FunctionFailed(f"{path}: {body.decode()[:2000]}")
        self._report()  # the function asks for the next event: its work on this one is done
        return answer

    def cpu_seconds(self) -> float:
        """Return the process's CPU time so far: user and system, all threads (Linux)."""
        # The CPU clock counts nanoseconds, /proc/<pid>/stat only ticks of 10 ms.
        clock = ctypes.c_int()
        if error := ctypes.CDLL(None).clock_getcpuclockid(self._process.pid, ctypes.byref(clock)):
            raise OSError(error, os.strerror(error))
        return time.clock_gettime(clock.value)

    def peak_memory_bytes(self) -> int:
        """Return the largest resident set so far (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def _report(self) -> tuple[str, bytes]:
        """Return the next request of the runtime client: its path and body."""
        ends = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return self._reports.get(timeout=0.5)
            except queue.Empty:
                if self._process.poll() is not None:
                    _, errors = self._process.communicate()
                    raise FunctionFailed(errors.decode()[-3000:]) from None
                if time.monotonic() > ends:
                    raise FunctionFailed(f"no answer in {ANSWER_SECONDS:g} s") from None


def _runtime_api(
    events: queue.Queue[bytes], reports: queue.Queue[tuple[str, bytes]]
) -> type[QuietHandler]:
    """Return a handler of the Runtime API: sends `events`, and puts all requests in `reports`."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            reports.put((self.path, b""))
            self.answer(
                200,
                events.get(),
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": _ARN,
                    "Lambda-Runtime-Trace-Id": _TRACE,
                },
            )

        def do_POST(self) -> None:
            reports.put((self.path, self.body()))
            self.answer(202, b"")

    return Handler
