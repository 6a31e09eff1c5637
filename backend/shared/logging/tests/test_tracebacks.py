"""Exceptions are logged as structured data."""

import re

from shared.conftest import Lines
from shared.logging import get_logger

_log = get_logger()


def test_an_exception_has_a_structured_stack(lines: Lines) -> None:
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
        r"test_tracebacks\.py:\d+ test_an_exception_has_a_structured_stack$", outer["frames"][-1]
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


def test_error_without_an_exception_has_no_stack(lines: Lines) -> None:
    _log.error("failed", exc_info=True)
    assert lines.all()[0]["exception"] is None
