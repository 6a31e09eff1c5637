"""A trace in the terminal: who called whom, for how long, and when."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.traces.spans import Span

_BAR_COLUMNS = 32
_NAME_COLUMNS = 64
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")


def tree(spans: Sequence[Span]) -> Iterator[tuple[int, Span]]:
    """Each span after its parent, with its depth; one whose parent is not there begins a tree."""
    known = {span.span_id for span in spans}
    children: defaultdict[str, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda one: (one.start_ns, -one.end_ns)):
        children[span.parent_id if span.parent_id in known else ""].append(span)
    stack = [(0, span) for span in reversed(children[""])]
    while stack:
        depth, span = stack.pop()
        yield depth, span
        stack += [(depth + 1, child) for child in reversed(children[span.span_id])]


def show(spans: Sequence[Span], console: Console) -> None:
    """Print a trace as a waterfall: service, span, duration, and a bar at its time."""
    if not spans:
        console.print("no spans of this request have come", style="yellow")
        return
    begins = min(span.start_ns for span in spans)
    whole = max(span.end_ns for span in spans) - begins
    services = sorted({span.service for span in spans})
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(services)}
    table = Table(
        title=f"{spans[0].xray_trace_id}  {len(spans)} spans, {whole / 1e6:,.0f} ms",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("service", no_wrap=True)
    table.add_column("span", no_wrap=True, max_width=_NAME_COLUMNS)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, width=_BAR_COLUMNS)
    for depth, span in tree(spans):
        colour = "red" if span.status == "ERROR" else colours[span.service]
        table.add_row(
            Text(span.service, style=colours[span.service]),
            Text("  " * depth + _label(span), style="red" if span.status == "ERROR" else ""),
            f"{span.duration_ms:,.1f}",
            Text(_bar(span, begins, whole), style=colour),
        )
    console.print(table)


def _label(span: Span) -> str:
    """The span's name, and of a call where it went, which its name leaves out."""
    url = span.attributes.get("url.full", "")
    if span.kind == "CLIENT" and "://" in url:
        return f"{span.name} /{url.partition('://')[2].partition('/')[2]}"
    return span.name


def _bar(span: Span, begins: int, whole: int) -> str:
    scale = _BAR_COLUMNS / max(whole, 1)
    first = min(int((span.start_ns - begins) * scale), _BAR_COLUMNS - 1)
    length = max(1, round((span.end_ns - span.start_ns) * scale))
    return " " * first + "━" * min(length, _BAR_COLUMNS - first)
