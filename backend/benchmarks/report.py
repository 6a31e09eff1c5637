"""The results as JSON, as a Markdown table and as an SVG chart."""

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from benchmarks.series import Comparison

_BAR_WIDTH: Final = 420
_ROW_HEIGHT: Final = 22
_LEFT: Final = 170
_OURS_COLOUR: Final = "#0b7285"
_OTHER_COLOUR: Final = "#adb5bd"


def machine() -> dict[str, str]:
    """Return the class of this machine; absolute figures mean nothing without it."""
    import os

    return {
        "cpus": str(os.cpu_count()),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def write(name: str, comparisons: Sequence[Comparison], folder: Path) -> None:
    """Write `<name>.json`, `<name>.md` and `<name>.svg` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "comparisons": [_as_json(one) for one in comparisons]}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    (folder / f"{name}.md").write_text(markdown(comparisons))
    (folder / f"{name}.svg").write_text(chart(comparisons))


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Return one table over all comparisons."""
    about = machine()
    lines = [
        f"{about['cpus']} CPUs, {about['architecture']}, {about['system']}, Python "
        f"{about['python']}, {about['date']}. Medians, quartiles in brackets; ratios are medians "
        "of the ratios round by round.",
        "",
        "| figure | candidate | median | ours / candidate | target |",
        "|---|---|---|---|---|",
    ]
    for one in comparisons:
        for name, series in one.series.items():
            low, high = series.spread
            ratio = "" if name == one.ours else f"{one.ratio(name):.2f}"
            target = f"≤ {one.targets[name]:.2f}" if name in one.targets else ""
            if name == one.ours and one.limit is not None:
                target = f"≤ {one.limit:g} {one.unit}"
            lines.append(
                f"| {one.title if name == one.ours else ''} | {name} | {series.median:.1f} "
                f"{one.unit} ({low:.1f} to {high:.1f}) | {ratio} | {target} |"
            )
    return "\n".join(lines) + "\n"


def chart(comparisons: Sequence[Comparison]) -> str:
    """Return horizontal bars, each comparison on a scale of its own."""
    parts: list[str] = []
    top = 10
    for one in comparisons:
        parts.append(f'<text x="10" y="{top + 14}" font-weight="bold">{escape(one.title)}</text>')
        top += _ROW_HEIGHT
        longest = max(1e-9, *(series.median for series in one.series.values()))
        for name, series in one.series.items():
            width = max(1.0, series.median / longest * _BAR_WIDTH)
            colour = _OURS_COLOUR if name == one.ours else _OTHER_COLOUR
            parts.append(
                f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{_LEFT}" y="{top + 3}" width="{width:.1f}" height="14" fill="{colour}"/>'
                f'<text x="{_LEFT + width + 6:.1f}" y="{top + 14}">{series.median:.1f} '
                f"{escape(one.unit)}</text>"
            )
            top += _ROW_HEIGHT
        top += 10
    width = _LEFT + _BAR_WIDTH + 110
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
        'font-family="sans-serif" font-size="12" fill="#212529">'
        f'<rect width="{width}" height="{top}" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def _as_json(one: Comparison) -> dict[str, Any]:
    return {
        "title": one.title,
        "unit": one.unit,
        "ours": one.ours,
        "values": {name: list(series.values) for name, series in one.series.items()},
        "ratios": {name: one.ratio(name) for name in one.series if name != one.ours},
        "targets": dict(one.targets),
        "limit": one.limit,
    }
