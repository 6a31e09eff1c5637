"""The three forms in which results are kept."""

import json
from pathlib import Path
from xml.etree import ElementTree

from benchmarks import report
from benchmarks.series import Comparison, Series

ONE = Comparison(
    "CPU <of> a request",
    "µs",
    "ours",
    {"ours": Series((100.0, 110.0, 120.0)), "peer": Series((200.0, 220.0, 240.0))},
    {"peer": 0.8},
)


def test_the_table_has_medians_ratios_and_targets() -> None:
    table = report.markdown([ONE])
    assert "| CPU <of> a request | ours | 110.0 µs (105.0 to 115.0) |  |  |" in table
    assert "|  | peer | 220.0 µs (210.0 to 230.0) | 0.50 | ≤ 0.80 |" in table


def test_the_files_are_whole(tmp_path: Path) -> None:
    report.write("warm", [ONE], tmp_path)
    stored = json.loads((tmp_path / "warm.json").read_text())
    assert stored["comparisons"][0]["ratios"] == {"peer": 0.5}
    assert stored["machine"]["date"]
    ElementTree.fromstring((tmp_path / "warm.svg").read_text())  # noqa: S314 - our own file
    assert (tmp_path / "warm.md").read_text().count("\n| ") >= 3
