"""Writes the results as JSON, and as Markdown tables into docs/benchmarks.md."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.figure import Candidate, Figure, Packing
from benchmarks.series import Series

_PACKINGS: Final = {
    Packing.COMPILED: "packed by our packer",
    Packing.PLAIN: "packed as by `sam build`",
}
_RATIOS: Final = {
    Packing.COMPILED: "ours / peer, packed alike",
    Packing.PLAIN: "ours / peer as by `sam build`",
}


class PageBroken(Exception):
    """The page lacks the markers between which the tables are written."""


def repository() -> Path:
    """Return the root of the repository, which has the results."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "pants.toml").is_file():
            return folder
    raise SystemExit("run it inside the repository")


def machine() -> dict[str, str]:
    """Describe this machine: absolute figures mean nothing without it."""
    return {
        "cpus": str(os.cpu_count()),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def write_json(path: Path, figures: Sequence[Figure], rounds: int) -> None:
    """Write all values with their medians, ratios and targets."""
    write_values(path, {"rounds": rounds, "figures": [_as_json(figure) for figure in figures]})


def write_values(path: Path, values: Mapping[str, Any]) -> None:
    """Write `values` after a description of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), **values}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_page(page: Path, suite: str, text: str) -> None:
    """Replace what is between the two markers of a suite in `page` by `text`.

    Raises:
        PageBroken: The page lacks one of the markers.
    """
    begin, end = f"<!-- {suite}: begin -->", f"<!-- {suite}: end -->"
    content = page.read_text()
    if begin not in content or end not in content.partition(begin)[2]:
        raise PageBroken(f"{page.name}: expects the lines {begin} and {end}")
    before, _, rest = content.partition(begin)
    after = rest.partition(end)[2]
    page.write_text(f"{before}{begin}\n{text}{end}{after}")


def markdown(figures: Sequence[Figure], rounds: int) -> str:
    """Return a line about the run, and a table for each figure."""
    return "\n".join([about(f"{rounds} rounds"), "", *(table(figure) for figure in figures)])


def about(run: str) -> str:
    """Return a line about a run and this machine."""
    facts = machine()
    return (
        f"{run}, {facts['cpus']} CPUs, {facts['architecture']}, {facts['system']}, "
        f"Python {facts['python']}, {facts['date']}."
    )


def table(figure: Figure) -> str:
    """Return a figure as a table: a row for each candidate, medians with their intervals."""
    rows = [
        {f"{figure.title}, {figure.unit}": name, **_cells(figure, name)} for name in figure.names
    ]
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    return as_table(columns, [[row[name] for name in columns] for row in rows])


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _cells(figure: Figure, name: str) -> dict[str, str]:
    both = [Candidate(name, packing) for packing in Packing]
    return (
        {_PACKINGS[one.packing]: _value(figure, one) for one in both}
        | {"our packer / `sam build`": _formatted(figure.packer_ratio(name), 2)}
        | {_RATIOS[one.packing]: _ratio(figure, one) for one in both}
    )


def _value(figure: Figure, candidate: Candidate) -> str:
    text = _formatted(figure.series.get(candidate), 1 if figure.unit in {"MB", "MiB"} else 0)
    if (wall := figure.wall.get(candidate)) is not None:
        text += f"; wall {wall.median:.0f}"
    limit = figure.limits.get(candidate)
    if limit is None:
        return text
    return f"{text}, {_verdict(figure.series[candidate].median, limit, f'{limit:g}')}"


def _ratio(figure: Figure, peer: Candidate) -> str:
    ratio = figure.ratio(peer) if peer in figure.series else None
    text, target = _formatted(ratio, 2), figure.targets.get(peer)
    if ratio is None or target is None:
        return text
    return f"{text}, {_verdict(ratio.median, target, f'{target:.2f}')}"


def _verdict(value: float, largest: float, target: str) -> str:
    return f"target {target}: {'met' if value <= largest else '**missed**'}"


def _formatted(series: Series | None, digits: int) -> str:
    if series is None:
        return ""
    low, high = (f"{bound:.{digits}f}" for bound in series.interval)
    interval = f" ({low} to {high})" if len(series.values) > 1 else ""
    return f"{series.median:.{digits}f}{interval}"


def _as_json(figure: Figure) -> dict[str, Any]:
    return {
        "title": figure.title,
        "unit": figure.unit,
        "candidates": [
            {
                "name": candidate.name,
                "packing": _PACKINGS[candidate.packing],
                **_summary(series),
                "values": [round(value, 2) for value in series.values],
                "wall": [round(value, 2) for value in wall.values] if wall else None,
                "ratio": _summary(ratio) if ratio else None,
                "target": figure.targets.get(candidate),
                "limit": figure.limits.get(candidate),
            }
            for candidate, series in figure.series.items()
            for wall, ratio in [(figure.wall.get(candidate), figure.ratio(candidate))]
        ],
    }


def _summary(series: Series) -> dict[str, Any]:
    return {
        "median": round(series.median, 4),
        "interval": [round(bound, 4) for bound in series.interval],
    }
