"""Log lines contain the ids of the current request and span."""

from collections.abc import Iterator

import pytest
from opentelemetry import context, trace

from shared.conftest import Lines
from shared.logging import get_logger, request_context
from shared.logging.request_context import RequestContext

_log = get_logger()

_TRACE_ID = "5759e988bd862e3fe1be46a994272793"
_SPAN = trace.SpanContext(int("a" * 32, 16), 0xB, is_remote=False, trace_flags=trace.TraceFlags(1))


@pytest.fixture
def request_with_trace() -> Iterator[None]:
    token = request_context.bind(RequestContext("r-1", _TRACE_ID))
    yield
    request_context.reset(token)


@pytest.fixture
def current_span() -> Iterator[None]:
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(_SPAN)))
    yield
    context.detach(token)


def test_outside_a_request_there_are_no_ids(lines: Lines) -> None:
    _log.info("started")
    assert not {"request_id", "trace_id", "span_id", "xray_trace_id"} & set(lines.all()[0])
    assert request_context.current() is None
    assert request_context.active_trace_id() is None
    assert request_context.request_id() != request_context.request_id(), "a new one each time"


def test_a_request_gives_its_lines_its_ids(lines: Lines, request_with_trace: None) -> None:
    _log.info("answered")
    line = lines.all()[0]
    assert (line["request_id"], line["trace_id"]) == ("r-1", _TRACE_ID)
    assert "span_id" not in line
    assert request_context.request_id() == "r-1"
    assert request_context.active_trace_id() == _TRACE_ID


def test_the_current_span_replaces_the_trace_id_of_the_headers(
    lines: Lines, request_with_trace: None, current_span: None
) -> None:
    _log.info("answered")
    line = lines.all()[0]
    assert (line["trace_id"], line["span_id"]) == ("a" * 32, "000000000000000b")
    assert line["xray_trace_id"] == f"1-{'a' * 8}-{'a' * 24}"
    assert line["request_id"] == "r-1"
    assert request_context.active_trace_id() == "a" * 32


def test_an_xray_trace_id_has_the_form_that_the_console_searches() -> None:
    assert request_context.xray_trace_id(_TRACE_ID) == "1-5759e988-bd862e3fe1be46a994272793"
