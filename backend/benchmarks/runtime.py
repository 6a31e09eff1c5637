"""One execution environment of a packaged function, under AWS's runtime client."""

import http.server
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final, Self

ANSWER_SECONDS: Final = 60.0
_ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"
_TRACE: Final = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class LoopbackServer(ThreadingMixIn, http.server.HTTPServer):
    """An HTTP server on a free loopback port, in threads of this process."""

    daemon_threads = True

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
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
    # Headers and body in one segment: a second one waits 40 ms for the first one's acknowledgement.
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

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Print nothing."""


class FunctionFailed(Exception):
    """The function did not answer, or answered an error."""


class Environment:
    """A function's process, from its spawn to its end.

    Args:
        task: The unpacked package.
        variables: The function's environment.
        python: The interpreter, which sees the package and the runtime client only.
        cpu_share: The share of a CPU that it gets; Lambda gives 512 MB some 0.3.
    """

    def __init__(
        self,
        task: Path,
        variables: Mapping[str, str],
        *,
        python: str,
        runtime_client: Path,
        cpu_share: float = 1.0,
    ) -> None:
        self._events: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._number = 0
        self._server = LoopbackServer(self._handler())
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
        self._before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.spawned = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [python, "-m", "awslambdaric", "lambda_function.handler"],
            cwd=task,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._share = _Share(self._process.pid, cpu_share) if cpu_share < 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._share:
            self._share.stop()
        self._process.kill()
        self._process.communicate()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Send an event and return the answer.

        Raises:
            FunctionFailed: The function died, took too long, or answered anything but a 200.
        """
        self._events.put(json.dumps(event).encode())
        ends = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                path, body = self._answers.get(timeout=0.5)
                break
            except queue.Empty:
                if self._process.poll() is not None:
                    _, errors = self._process.communicate()
                    raise FunctionFailed(errors.decode()[-3000:]) from None
                if time.monotonic() > ends:
                    raise FunctionFailed(f"no answer in {ANSWER_SECONDS:g} s") from None
        answer: dict[str, Any] = json.loads(body)
        if not path.endswith("/response") or answer.get("statusCode") != 200:
            raise FunctionFailed(f"{path}: {body.decode()[:2000]}")
        return answer

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process so far, all threads, user and system (Linux)."""
        total = 0
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def peak_memory_bytes(self) -> int:
        """Return the largest resident set so far (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def _handler(self) -> type[QuietHandler]:
        environment = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                event = environment._events.get()
                environment._number += 1
                self.answer(
                    200,
                    event,
                    {
                        "Content-Type": "application/json",
                        "Lambda-Runtime-Aws-Request-Id": f"request-{environment._number}",
                        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
                        "Lambda-Runtime-Invoked-Function-Arn": _ARN,
                        "Lambda-Runtime-Trace-Id": _TRACE,
                    },
                )

            def do_POST(self) -> None:
                body = self.body()
                environment._answers.put((self.path, body))
                self.answer(202, b"")

        return Handler


class _Share:
    """Gives a process a share of a CPU: stops and continues it in Lambda's period of 20 ms."""

    _PERIOD_SECONDS: Final = 0.02

    def __init__(self, pid: int, share: float) -> None:
        self._pid = pid
        self._on = self._PERIOD_SECONDS * share
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the process run freely."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                os.kill(self._pid, signal.SIGCONT)
                self._stopped.wait(self._on)
                os.kill(self._pid, signal.SIGSTOP)
                self._stopped.wait(self._PERIOD_SECONDS - self._on)
            os.kill(self._pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def interpreter() -> str:
    """Return the Python without this process's site-packages."""
    return os.path.realpath(sys.executable)
