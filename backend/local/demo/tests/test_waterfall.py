"""A trace in the terminal."""

import io

from rich.console import Console

from local.demo.waterfall import show, tree
from local.tests.traced import span
from local.traces.spans import Span


def _shown(spans: list[Span], width: int = 120) -> list[str]:
    out = io.StringIO()
    show(spans, Console(file=out, width=width, color_system=None))
    return out.getvalue().splitlines()


def _bar(line: str) -> tuple[int, int]:
    return line.index("━"), line.count("━")


def test_each_span_stands_below_its_parent() -> None:
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


def test_a_span_whose_parent_did_not_come_is_shown_all_the_same() -> None:
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
    assert root.split()[:3] == ["api", "GET", "/test"]
    assert "1,000.0" in root
    assert "  GET /dev/chat/health" in call
    assert "500.0" in call
    assert _bar(root)[1] == 32
    assert _bar(call) == (_bar(root)[0] + 16, 16)


def test_what_takes_no_time_has_a_bar_and_none_leaves_its_column() -> None:
    lines = _shown([span(number, start_ns=number, end_ns=number) for number in range(1, 50)])
    assert all(1 <= line.count("━") <= 32 for line in lines[2:])


def test_a_narrow_terminal_does_not_break_it() -> None:
    assert len(_shown([span(1, name="x" * 300)], width=60)) == 3


def test_no_spans_is_said() -> None:
    assert _shown([]) == ["no spans of this request have come"]
