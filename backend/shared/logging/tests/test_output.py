"""One JSON object a line with the agreed keys, whatever happens to the stream."""

import io
import json
import logging as stdlib
import os
import re
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
import structlog

from shared.conftest import Lines
from shared.logging import configure_logging, get_logger, request_context
from shared.logging.output import LogOutput

_log = get_logger()


def test_a_line_has_the_agreed_keys_and_types(lines: Lines) -> None:
    trace_id = "5759e988bd862e3fe1be46a994272793"
    token = request_context.bind(request_context.RequestContext("r-1", trace_id))
    structlog.contextvars.bind_contextvars(cold_start=True)
    _log.info(
        "request_completed",
        path="/health",
        method="GET",
        status=200,
        duration=0.123,
        client_ip="192.0.2.1",
    )
    request_context.reset(token)
    (line,) = lines.all()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", line.pop("timestamp"))
    assert line == {
        "event": "request_completed",
        "level": "info",
        "service": "api",
        "environment": "dev",
        "path": "/health",
        "method": "GET",
        "status": 200,
        "duration": 0.123,
        "client_ip": "192.0.2.1",
        "request_id": "r-1",
        "trace_id": trace_id,
        "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "cold_start": True,
    }
    assert lines.stream.getvalue().endswith(b"}\n")


def test_bound_variables_are_in_each_line_until_they_are_cleared(lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(document="d-1")
    _log.info("bound")
    _log.info("overridden", document="d-2")
    structlog.contextvars.clear_contextvars()
    _log.info("cleared")
    assert [line.get("document") for line in lines.all()] == ["d-1", "d-2", None]


def test_each_output_has_its_own_names_and_stream() -> None:
    streams = {name: io.BytesIO() for name in ("api", "chat")}
    for name, stream in streams.items():
        output = LogOutput()
        output.configure(service=name, environment="dev", stream=stream)
        output.write_fields("started", {"token": "kept as it is"})
    for name, stream in streams.items():
        line = json.loads(stream.getvalue())
        assert (line["event"], line["service"], line["token"]) == ("started", name, "kept as it is")


def test_a_field_never_replaces_one_that_every_line_has(lines: Lines) -> None:
    token = request_context.bind(request_context.RequestContext("r-1"))
    _log.info("x", service="chat", environment="moon", request_id="other", timestamp="never")
    request_context.reset(token)
    line = lines.all()[0]
    assert (line["service"], line["environment"], line["request_id"]) == ("api", "dev", "r-1")
    assert line["timestamp"].endswith("Z")
    assert (line["service_"], line["request_id_"], line["timestamp_"]) == ("chat", "other", "never")


def test_a_closed_full_or_missing_stream_raises_nothing(
    logging_state: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    closed = io.BytesIO()
    closed.close()
    for stream in (closed, Full()):
        configure_logging("INFO", stream=stream)
        _log.info("x")
    configure_logging("INFO")
    for stdout in (None, io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stdout)
        _log.info("x")
        stdlib.getLogger("somebody").error("x")


def test_a_closed_pipe_does_not_end_the_process() -> None:
    code = """
import os, sys
from shared.logging import configure_logging, get_logger
configure_logging("INFO")
for n in range(2000):
    get_logger().info("x", n=n)
sys.stdout.flush = lambda: None
os._exit(7)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 7


class _HalvingStream(io.BytesIO):
    """Writes a line in two halves and lets another thread run between them."""

    def write(self, data: Any) -> int:
        half = len(data) // 2
        super().write(data[:half])
        time.sleep(0)
        return half + super().write(data[half:])


def test_threads_write_whole_lines(logging_state: None) -> None:
    stream = _HalvingStream()
    configure_logging("INFO", service_name="api", environment="dev", stream=stream)
    barrier = threading.Barrier(8)

    def work(worker: int) -> None:
        barrier.wait()
        for n in range(200):
            get_logger(f"t{worker}").info("x", worker=worker, n=n)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((line["worker"], line["n"]) for line in written) == [
        (worker, n) for worker in range(8) for n in range(200)
    ]
