"""A trace in the terminal."""

import io

import pytest
from rich.console import Console

from local.demo.waterfall import show, tree
from local.traces.spans import Span
from local.traces.tests.example_spans import span


def _shown(spans: list[Span], width: int = 120) -> list[str]:
    out = io.StringIO()
    show(spans, Console(file=out, width=width, color_system=None))
    return out.getvalue().splitlines()


def _bar(line: str) -> tuple[int, int]:
    return line.index("="), line.count("=")


def test_each_span_follows_its_parent() -> None:
    spans = [
        span(3, parent_id=f"{2:016x}", name="grandchild"),
        span(1, name="root"),
        span(4, parent_id=f"{1:016x}", name="second"),
        span(2, parent_id=f"{1:016x}", name="first"),
    ]
    assert [(depth, one.name) for depth, one in tree(spans)] == [
        (0, "root"),
        (1, "first"),
        (2, "grandchild"),
        (1, "second"),
    ]


def test_a_span_without_its_parent_is_shown_as_a_root() -> None:
    spans = [span(1, parent_id="f" * 16, name="orphan"), span(2, name="root")]
    assert [(depth, one.name) for depth, one in tree(spans)] == [(0, "orphan"), (0, "root")]


def test_a_waterfall_has_service_span_duration_and_a_bar_at_its_time() -> None:
    second = 1_000_000_000
    lines = _shown(
        [
            span(1, name="GET /test", start_ns=0, end_ns=second),
            span(
                2,
                parent_id=f"{1:016x}",
                service="chat",
                name="GET",
                kind="CLIENT",
                start_ns=second // 2,
                end_ns=second,
                attributes={"url.full": "http://127.0.0.1:1/dev/chat/health"},
            ),
        ]
    )
    assert "1-5759e988-bd862e3fe1be46a994272793" in lines[0]
    assert "2 spans, 1,000 ms" in lines[0]
    root, call = lines[2:]
    assert root.split()[:4] == ["1,000.0", "api", "GET", "/test"]
    assert call.startswith("  500.0  chat ")
    assert "  GET /dev/chat/health" in call
    assert _bar(root)[1] == 40
    assert _bar(call) == (_bar(root)[0] + 20, 20)


def test_every_bar_is_visible_and_inside_its_column() -> None:
    lines = _shown([span(number, start_ns=number, end_ns=number) for number in range(1, 50)])
    assert all(1 <= line.count("=") <= 40 for line in lines[2:])


@pytest.mark.parametrize("width", [80, 70])
def test_names_give_way_to_durations_services_and_bars(width: int) -> None:
    deep = [
        span(
            number,
            parent_id=f"{number - 1:016x}" if number > 1 else "",
            service="a-service-with-a-name",
            name="embeddings amazon.titan-embed-text-v2:0",
            start_ns=0,
            end_ns=2_443_000_000 // number,
        )
        for number in range(1, 13)
    ]
    lines = _shown(deep, width=width)
    assert len(lines) == 2 + len(deep)
    assert "2,443.0  a-service-..  embeddings amazon" in lines[2]
    assert all(len(line) <= width for line in lines)
    assert all(_bar(line)[1] >= 1 for line in lines[2:])
    assert _bar(lines[2])[1] == 16
    assert "\n".join(lines).isascii()


def test_a_terminal_gets_a_line_as_bar() -> None:
    out = io.StringIO()
    show([span(1)], Console(file=out, width=80, color_system=None, force_terminal=True))
    assert "━" in out.getvalue()


def test_no_spans_is_one_line() -> None:
    assert _shown([]) == ["No spans of this request have arrived."]
