"""One configuration for structlog's and the standard library's loggers of a process."""

import io
import logging as stdlib

import pytest

from shared.conftest import Lines
from shared.logging import configure_logging, get_logger, request_context, write
from shared.logging.tests.values import Unprintable

_log = get_logger()


def test_the_name_of_a_logger_is_in_its_lines(lines: Lines) -> None:
    get_logger("shared.aws.api_keys").info("x")
    assert lines.all()[0]["logger"] == "shared.aws.api_keys"


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


def test_write_ignores_the_log_level(lines: Lines) -> None:
    lines.configure("CRITICAL")
    write("sizes", {"bytes": 3})
    assert lines.of("sizes")[0]["bytes"] == 3


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


def test_a_new_configuration_applies_to_loggers_already_used(logging_state: None) -> None:
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


def test_stdlib_loggers_write_the_same_kind_of_line(lines: Lines) -> None:
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


def test_extra_fields_of_stdlib_loggers_are_written_and_redacted(lines: Lines) -> None:
    extra = {"job_id": "j-1", "api_key": "hunter2", "event": "mine", "level": 3, "service": "x"}
    stdlib.getLogger("somebody").warning("slow", extra=extra)
    stdlib.getLogger("uvicorn.error").info("plain", extra={"color_message": "coloured"})
    slow, plain = lines.all()
    assert (slow["event"], slow["level"], slow["service"]) == ("slow", "warning", "api")
    assert (slow["job_id"], slow["api_key"]) == ("j-1", "***")
    assert (slow["event_"], slow["level_"], slow["service_"]) == ("mine", 3, "x")
    assert "color_message" not in plain


def test_verbose_libraries_log_warnings_and_errors_only(lines: Lines) -> None:
    for name in ("botocore.hooks", "urllib3.connectionpool", "httpx", "uvicorn.access"):
        stdlib.getLogger(name).info("details")
        stdlib.getLogger(name).debug("details")
    assert lines.all() == []


def test_handlers_of_uvicorns_loggers_are_replaced(logging_state: None) -> None:
    uvicorns = stdlib.StreamHandler(io.StringIO())
    stdlib.getLogger("uvicorn").addHandler(uvicorns)
    stdlib.getLogger("uvicorn").propagate = False
    captured = Lines()
    captured.configure()
    stdlib.getLogger("uvicorn.error").warning("x")
    assert uvicorns.stream.getvalue() == ""
    assert [line["event"] for line in captured.all()] == ["x"]


@pytest.mark.parametrize(
    ("level", "message", "arguments"),
    [
        (stdlib.ERROR, "%d apples", ("many",)),
        (stdlib.ERROR, "%s", (Unprintable(),)),
        (25, "between two levels", ()),
        (5, "below debug", ()),
        (90, "above critical", ()),
    ],
)
def test_an_invalid_stdlib_call_writes_a_line_and_raises_nothing(
    lines: Lines, level: int, message: str, arguments: tuple[object, ...]
) -> None:
    lines.configure()  # removes the handlers that pytest adds for each test
    logger = stdlib.getLogger("odd")
    logger.setLevel(1)
    logger.log(level, message, *arguments)
    assert len(lines.all()) == 1
