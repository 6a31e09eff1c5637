"""One JSON object a line, with the agreed keys, whatever is logged and whatever goes wrong."""

import enum
import io
import json
import logging as stdlib
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import structlog
from pydantic import BaseModel

from shared.conftest import Lines
from shared.logging import configure_logging, get_logger, request_context, timestamp

_log = get_logger()


class _Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


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


def test_outside_a_request_a_line_has_no_ids(lines: Lines) -> None:
    _log.info("started")
    assert not {"request_id", "trace_id", "span_id", "xray_trace_id"} & set(lines.all()[0])


def test_what_is_bound_is_in_each_line_and_nothing_is_looked_for_before() -> None:
    """In a process of its own: structlog remembers for good that something was bound."""
    code = """
    import structlog
    from shared.logging import clear_bound, configure_logging, get_logger
    looked = []
    for name in ("merge_contextvars", "clear_contextvars"):
        original = getattr(structlog.contextvars, name)
        def counted(*args, original=original, name=name):
            looked.append(name)
            return original(*args)
        setattr(structlog.contextvars, name, counted)
    configure_logging()
    log = get_logger()
    log.info("before")
    clear_bound()
    log.info("looked", at=list(looked))
    structlog.contextvars.bind_contextvars(document="d-1")
    log.info("bound")
    clear_bound()
    log.info("cleared")
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    before, looked, bound, cleared = map(json.loads, ended.stdout.splitlines())
    assert looked["at"] == []
    assert bound["document"] == "d-1"
    assert not {"document"} & (before.keys() | cleared.keys())


def test_a_named_logger_says_its_name(lines: Lines) -> None:
    get_logger("shared.aws.api_keys").info("x")
    assert lines.all()[0]["logger"] == "shared.aws.api_keys"


def test_the_timestamp_is_the_present_moment() -> None:
    before = datetime.now(UTC).timestamp()
    stamped = datetime.fromisoformat(timestamp()).timestamp()
    assert before - 0.001 <= stamped <= datetime.now(UTC).timestamp()


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_each_level_is_written_under_its_name(lines: Lines, level: str) -> None:
    getattr(_log, level)("x")
    assert lines.all()[0]["level"] == level


def test_lower_levels_are_not_written(lines: Lines) -> None:
    lines.configure("WARNING")
    _log.info("no")
    stdlib.getLogger("somebody").info("no")
    _log.warning("yes")
    assert [line["event"] for line in lines.all()] == ["yes"]


def test_a_wrong_level_is_refused(logging_state: None) -> None:
    with pytest.raises(ValueError, match="got 'loud'; expects one of DEBUG"):
        configure_logging("loud")


def test_names_default_to_the_environment(
    logging_state: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_NAME", "chat")
    monkeypatch.setenv("ENVIRONMENT", "prod")
    captured = Lines()
    configure_logging(log_level="info", stream=captured.stream)
    _log.info("x")
    assert (captured.all()[0]["service"], captured.all()[0]["environment"]) == ("chat", "prod")


def test_a_new_configuration_reaches_loggers_that_have_been_used(logging_state: None) -> None:
    first, second = Lines(), Lines()
    log = get_logger("module")
    first.configure("DEBUG")
    log.debug("one")
    second.configure("INFO")
    log.debug("two")
    log.info("three")
    stdlib.getLogger("uvicorn.error").info("four")
    assert [line["event"] for line in first.all()] == ["one"]
    assert [line["event"] for line in second.all()] == ["three", "four"], "each line once"


@dataclass
class _Login:
    user: str
    password: str


class _Model(BaseModel):
    name: str
    api_key: str


class _Credentials(NamedTuple):
    """As botocore hands them out."""

    access_key: str
    secret_key: str


@pytest.mark.parametrize(
    "fields",
    [
        {"x-api-key": "hunter2"},
        {"X-Api-Key": "hunter2"},
        {"Authorization": "Bearer hunter2"},
        {"password": "hunter2", "secret": "hunter2", "token": "hunter2"},
        {"db_password": "hunter2", "client_secret": "hunter2", "access_token": "hunter2"},
        {"cookie": "hunter2", "x-origin-verify": "hunter2"},
        {"headers": {"x-api-key": "hunter2", "accept": "seen"}},
        {"headers": [{"deep": [{"Authorization": "hunter2"}]}]},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"token": "hunter2"}}}}}}}},
        {"login": _Login("seen", "hunter2")},
        {"logins": {"one": [_Login("seen", "hunter2")]}},
        {"model": _Model(name="seen", api_key="hunter2")},
        {"token": ["hunter2", {"x": "hunter2"}]},
        {"answer": {"SecretString": "hunter2", "Name": "seen"}},  # as Secrets Manager answers
        {"SecretAccessKey": "hunter2", "SessionToken": "hunter2", "accessToken": "hunter2"},
        {
            "aws_secret_access_key": "hunter2",
            "private_key": "hunter2",
            "tls_private_key": "hunter2",
        },
        {"credentials": _Credentials("seen", "hunter2")},
    ],
)
def test_values_of_sensitive_keys_are_never_written(lines: Lines, fields: dict[str, Any]) -> None:
    _log.info("x", **fields)
    written = lines.stream.getvalue()
    assert b"hunter2" not in written
    assert (b"seen" in written) == ("seen" in repr(fields)), "the rest is"
    assert lines.all()[0]["event"] == "x"


def test_words_that_only_contain_a_sensitive_word_are_written(lines: Lines) -> None:
    _log.info("x", input_tokens=12, output_tokens=3, keys=["a"], secret_name="p/dev/api/api-key")
    line = lines.all()[0]
    assert (line["input_tokens"], line["output_tokens"], line["keys"]) == (12, 3, ["a"])
    assert line["secret_name"] == "p/dev/api/api-key"


class _Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (object, "<class 'object'>"),
        (b"bytes", "b'bytes'"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (2**80, str(2**80)),
        (-(2**80), str(-(2**80))),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ({"k\ud800": 1}, "{'k\\ud800': 1}"),
        (float("nan"), None),
        (float("inf"), None),
        ({1, 2}, [1, 2]),
        ((1, "two"), [1, "two"]),
        ({1: "int key", None: "none key"}, {"1": "int key", "None": "none key"}),
        (_Colour.RED, "red"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (datetime(2024, 12, 7, 10, 30, 45, tzinfo=UTC), "2024-12-07T10:30:45Z"),
        (_Hostile(), "<_Hostile: no repr, RuntimeError>"),
    ],
)
def test_what_json_cannot_hold_degrades_and_the_rest_of_the_line_stays(
    lines: Lines, value: object, written: object
) -> None:
    _log.info("x", value=value, status=200, duration=0.5)
    (line,) = lines.all()
    assert line["value"] == written
    assert (line["status"], line["duration"], line["service"]) == (200, 0.5, "api")


class _Lying(Mapping[str, int]):
    """A mapping that fails when it is read."""

    def __getitem__(self, key: str) -> int:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("changed during iteration")

    def __len__(self) -> int:
        return 1


def test_no_value_makes_logging_raise(lines: Lines) -> None:
    endless: list[Any] = []
    endless.append(endless)
    wide: dict[str, Any] = {}
    wide["self"] = wide
    for value in (endless, wide, _Lying(), {_Hostile(): 1}):
        _log.info("x", status=200, value=value)
    _log.info("\ud800", **{"key \ud800": 1})
    assert [line["event"] for line in lines.all()] == ["x", "x", "x", "x", "\\ud800"]
    assert all(line["timestamp"] and line["service"] == "api" for line in lines.all())


def test_a_field_never_replaces_one_that_every_line_has(lines: Lines) -> None:
    token = request_context.bind(request_context.RequestContext("r-1"))
    _log.info("x", service="chat", environment="moon", request_id="other", timestamp="never")
    request_context.reset(token)
    line = lines.all()[0]
    assert (line["service"], line["environment"], line["request_id"]) == ("api", "dev", "r-1")
    assert line["timestamp"].endswith("Z")
    assert (line["service_"], line["request_id_"], line["timestamp_"]) == ("chat", "other", "never")


def test_an_exception_carries_a_structured_stack(lines: Lines) -> None:
    try:
        try:
            _ = dict[str, int]()["inner"]
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError:
        _log.exception("failed", status=500)
    (line,) = lines.all()
    assert line["level"] == "error"
    outer, inner = line["exception"]
    assert (outer["type"], outer["message"]) == ("ValueError", "outer")
    assert (inner["type"], inner["message"]) == ("KeyError", "'inner'")
    assert re.search(
        r"test_logging\.py:\d+ test_an_exception_carries_a_structured_stack$", outer["frames"][-1]
    )


def test_an_exception_that_cannot_be_printed_is_logged_too(lines: Lines) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    _log.error("failed", exc_info=Odd())
    assert lines.all()[0]["exception"][0] == {
        "type": "test_an_exception_that_cannot_be_printed_is_logged_too.<locals>.Odd",
        "message": "<no message, RuntimeError>",
        "frames": [],
    }


def test_stdlib_loggers_come_out_in_the_same_shape(lines: Lines) -> None:
    token = request_context.bind(request_context.RequestContext("r-1"))
    stdlib.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    stdlib.getLogger("botocore").warning("slow", stack_info=False)
    try:
        int("x")
    except ValueError:
        stdlib.getLogger("somebody").exception("failed")
    request_context.reset(token)
    started, slow, failed = lines.all()
    assert (started["event"], started["level"]) == ("Started server process [7]", "info")
    assert (started["logger"], started["service"], started["request_id"]) == (
        "uvicorn.error",
        "api",
        "r-1",
    )
    assert (slow["logger"], slow["level"]) == ("botocore", "warning")
    assert failed["exception"][0]["type"] == "ValueError"


def test_libraries_that_report_every_byte_are_quiet_below_warning(lines: Lines) -> None:
    for name in ("botocore.hooks", "urllib3.connectionpool", "httpx", "uvicorn.access"):
        stdlib.getLogger(name).info("chatter")
        stdlib.getLogger(name).debug("chatter")
    assert lines.all() == []


def test_handlers_that_uvicorn_gave_its_loggers_are_replaced(logging_state: None) -> None:
    own = stdlib.StreamHandler(io.StringIO())
    stdlib.getLogger("uvicorn").addHandler(own)
    stdlib.getLogger("uvicorn").propagate = False
    captured = Lines()
    captured.configure()
    stdlib.getLogger("uvicorn.error").warning("x")
    assert own.stream.getvalue() == ""
    assert [line["event"] for line in captured.all()] == ["x"]


@pytest.mark.parametrize(
    ("level", "message", "arguments"),
    [
        (stdlib.ERROR, "%d apples", ("many",)),
        (stdlib.ERROR, "%s", (_Hostile(),)),
        (25, "between two levels", ()),
        (5, "below debug", ()),
        (90, "above critical", ()),
    ],
)
def test_an_odd_stdlib_call_makes_a_line_and_not_an_error(
    lines: Lines, level: int, message: str, arguments: tuple[object, ...]
) -> None:
    lines.configure()  # again, without the handlers that pytest has added for the call
    somebody = stdlib.getLogger("odd")
    somebody.setLevel(1)
    somebody.log(level, message, *arguments)
    assert len(lines.all()) == 1


def test_no_line_from_a_closed_full_or_absent_output_is_an_error(
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


def test_a_reader_that_goes_away_does_not_end_the_process() -> None:
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


class _InPieces(io.BytesIO):
    """Takes a line in two pieces, with time for another thread between them."""

    def write(self, data: Any) -> int:
        half = len(data) // 2
        super().write(data[:half])
        time.sleep(0)
        return half + super().write(data[half:])


def test_threads_write_whole_lines(logging_state: None) -> None:
    stream = _InPieces()
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
