"""Results as Markdown tables, as JSON, and in the page."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figure import OURS, Candidate, Figure, Packing
from benchmarks.series import Series

BOTH = Figure(
    "CPU of a start",
    "ms",
    {
        Candidate(OURS, Packing.COMPILED): Series((100.0, 110.0, 120.0)),
        Candidate(OURS, Packing.PLAIN): Series((200.0, 220.0, 240.0)),
        Candidate("peer", Packing.COMPILED): Series((125.0, 137.5, 150.0)),
        Candidate("peer", Packing.PLAIN): Series((400.0, 440.0, 480.0)),
    },
    targets={
        Candidate("peer", Packing.COMPILED): 0.75,
        Candidate("peer", Packing.PLAIN): 0.25,
    },
    wall={Candidate("peer", Packing.PLAIN): Series((500.0, 550.0, 600.0))},
)
ONE = Figure(
    "Size",
    "MB",
    {Candidate("api", Packing.COMPILED): Series((9.25,))},
    limits={Candidate("api", Packing.COMPILED): 12},
)


def test_the_table_has_both_packings_and_says_which_target_was_missed() -> None:
    header, _, ours, peer = report.table(BOTH).splitlines()
    assert header.split(" | ")[1:3] == ["packed by our packer", "packed as by `sam build`"]
    assert ours == "| ours | 110 (100 to 120) | 220 (200 to 240) | 0.50 (0.50 to 0.50) |  |  |"
    assert peer == (
        "| peer | 138 (125 to 150) | 440 (400 to 480); wall 550 | 0.31 (0.31 to 0.31) "
        "| 0.80 (0.80 to 0.80), target 0.75: **missed** "
        "| 0.25 (0.25 to 0.25), target 0.25: met |"
    )


def test_the_table_leaves_out_columns_without_values() -> None:
    assert report.table(ONE).splitlines() == [
        "| Size, MB | packed by our packer |",
        "| --- | --- |",
        "| api | 9.2, target 12: met |",
    ]


def test_the_json_has_all_values(tmp_path: Path) -> None:
    report.write_json(tmp_path / "new" / "cold.json", [BOTH], 3)
    stored = json.loads((tmp_path / "new" / "cold.json").read_text())
    assert stored["machine"]["date"]
    assert stored["rounds"] == 3
    peer = stored["figures"][0]["candidates"][2]
    assert peer["values"] == [125, 137.5, 150]
    assert peer["ratio"] == {"median": 0.8, "interval": [0.8, 0.8]}
    assert peer["target"] == 0.75


def test_a_page_gets_new_tables_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- size: begin -->\nold\n<!-- size: end -->\nbelow\n")
    report.write_page(page, "size", report.markdown([ONE], 31))
    text = page.read_text()
    assert text.startswith("above\n<!-- size: begin -->\n31 rounds, ")
    assert text.endswith("| api | 9.2, target 12: met |\n<!-- size: end -->\nbelow\n")
    assert "old" not in text


def test_a_page_without_markers_is_refused_and_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- size: begin -->\n")
    with pytest.raises(report.PageBroken, match="<!-- size: end -->"):
        report.write_page(page, "size", "new")
    assert page.read_text() == "<!-- size: begin -->\n"
