"""A trace in the terminal: one line a span, with its duration, service, name and a bar."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from local.traces.spans import Span

_LEAST_BAR, _LONGEST_BAR = 16, 40
_LONGEST_SERVICE = 12
_GAP = "  "
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")


def tree(spans: Sequence[Span]) -> Iterator[tuple[int, Span]]:
    """Each span with its depth, parents first. A span whose parent is missing is a root."""
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
    """Print a trace. Durations and services are never cut; names and bars share what is left of the
    console's width.
    """
    if not spans:
        console.print("No spans of this request have arrived.", style="yellow")
        return
    starts_ns = min(span.start_ns for span in spans)
    duration_ns = max(max(span.end_ns for span in spans) - starts_ns, 1)
    services = sorted({span.service for span in spans})
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(services)}
    rows = [
        (" " * depth + _label(span), f"{span.duration_ms:,.1f}", span)
        for depth, span in tree(spans)
    ]

    ms_width = max(len(duration) for _, duration, _ in rows)
    service_width = min(max(map(len, ["service", *services])), _LONGEST_SERVICE)
    left = console.width - ms_width - service_width - 3 * len(_GAP)
    name_width = max(min(max(len(name) for name, _, _ in rows), left - _LEAST_BAR), len("span"))
    bar_width = max(min(left - name_width, _LONGEST_BAR), 1)

    title = f"Trace {spans[0].xray_trace_id}"
    console.print(f"[bold]{title}[/bold]: {len(spans)} spans, {duration_ns / 1e6:,.0f} ms")
    heading = _GAP.join([f"{'ms':>{ms_width}}", f"{'service':<{service_width}}", "span"])
    _print_line(console, Text(heading, style="dim"))
    mark = "━" if console.is_terminal else "="
    for name, duration, span in rows:
        failed = span.status == "ERROR"
        line = Text(f"{duration:>{ms_width}}{_GAP}")
        service = _shortened(span.service, service_width).ljust(service_width)
        line.append(service, style=colours[span.service])
        line.append(f"{_GAP}{_shortened(name, name_width):<{name_width}}{_GAP}", "red" * failed)
        first = min(int((span.start_ns - starts_ns) * bar_width / duration_ns), bar_width - 1)
        length = max(1, round((span.end_ns - span.start_ns) * bar_width / duration_ns))
        bar = " " * first + mark * min(length, bar_width - first)
        line.append(bar, style="red" if failed else colours[span.service])
        _print_line(console, line)


def _label(span: Span) -> str:
    """The span's name; an HTTP client's span is named by its method only, so the path is added."""
    url = span.attributes.get("url.full", "")
    if span.kind == "CLIENT" and "://" in url:
        return f"{span.name} /{url.partition('://')[2].partition('/')[2]}"
    return span.name


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 2, 0)] + ".."[:width]


def _print_line(console: Console, line: Text) -> None:
    console.print(line, no_wrap=True, overflow="ignore", crop=False)
