"""Exceptions are logged as structured data."""

import logging as stdlib
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


def test_notes_and_the_parts_of_a_group_are_logged(lines: Lines) -> None:
    part = ValueError("first part")
    part.add_note("while reading a.txt")
    part.__cause__ = KeyError("cause")
    nested = ExceptionGroup("inner group", [OSError("deep")])
    group = ExceptionGroup("outer group", [part, nested])
    group.add_note("x-note")
    _log.error("failed", exc_info=group)
    (described,) = lines.all()[0]["exception"]
    assert described["message"] == "outer group (2 sub-exceptions)"
    assert described["notes"] == ["x-note"]
    first, second = described["exceptions"]
    assert [one["type"] for one in first] == ["ValueError", "KeyError"]
    assert first[0]["notes"] == ["while reading a.txt"]
    assert second[0]["exceptions"][0][0]["message"] == "deep"


def test_wide_and_deep_groups_are_bounded(lines: Lines) -> None:
    group: ExceptionGroup[Exception] = ExceptionGroup(
        "g", [ValueError(str(number)) for number in range(10_000)]
    )
    for _ in range(500):
        group = ExceptionGroup("g", [group])
    _log.error("failed", exc_info=group)
    assert len(lines.stream.getvalue()) < 10_000


def test_the_stack_of_a_call_is_logged_where_it_is_asked_for(lines: Lines) -> None:
    _log.info("here", stack_info=True)
    stdlib.getLogger("somebody").warning("there", stack_info=True)
    here, there = lines.all()
    assert here["stack"][-1].endswith("test_the_stack_of_a_call_is_logged_where_it_is_asked_for")
    assert "test_the_stack_of_a_call_is_logged_where_it_is_asked_for" in str(there["stack"])
    assert "stack_info" not in here
