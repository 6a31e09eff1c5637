"""Reading Excel workbooks."""

from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from runner.extraction import extract
from runner.office import sheets
from runner.office.numbers import shown
from runner.text import ExtractedText, ExtractionError


def read(make: Callable[[Any], None]) -> ExtractedText:
    """Return the text of a workbook that `make` has filled."""
    workbook = Workbook()
    make(workbook)
    content = BytesIO()
    workbook.save(content)
    return extract(content.getvalue(), "office")


def rates(workbook: Any) -> None:
    sheet = workbook.active
    sheet.title = "Rates 2026"
    sheet.append(["All rates of the year"])
    sheet.append([])
    sheet.append(["Account", "Code", "Rate"])
    sheet.append(["Saver", "secret", 0.435])
    sheet.append(["Hidden", "x", 1])
    sheet.append(["Bond", "y", 0.05])
    for row in (4, 6):
        sheet.cell(row, 3).number_format = "0.0%"
    sheet.row_dimensions[5].hidden = True
    sheet.column_dimensions["B"].hidden = True


def test_a_sheet_is_a_page_whose_table_has_the_names_of_its_columns() -> None:
    document = read(rates)
    assert document.paged
    assert document.section(0).splitlines() == [
        "# Rates 2026",
        "",
        "All rates of the year",
        "",
        "| Account | Rate |",
        "| --- | --- |",
        "| Saver | 43.5% |",
        "| Bond | 5.0% |",
    ]


def test_hidden_sheets_are_left_out_and_sheets_keep_their_numbers() -> None:
    def make(workbook: Any) -> None:
        workbook.active.sheet_state = "hidden"
        workbook.active.append(["secret"])
        workbook.create_sheet("Two").append(["shown"])

    document = read(make)
    assert [document.section(index) for index in range(2)] == ["", "# Two\n\nshown"]


def test_a_merged_cell_names_each_of_its_columns() -> None:
    def make(workbook: Any) -> None:
        sheet = workbook.active
        sheet.append(["Loans to customers", None, None])
        sheet.merge_cells("A1:B1")
        sheet.append(["Bank", "Sum", "Rate"])
        sheet.append(["ACME", 1000, 4])

    assert read(make).section(0).splitlines()[0] == "Loans to customers | Loans to customers"


def test_names_that_are_too_long_to_repeat_stand_in_each_row() -> None:
    names = [f"The name of column number {number}" for number in range(12)]

    def make(workbook: Any) -> None:
        workbook.active.append(names)
        workbook.active.append([*range(12)])
        workbook.active.append([1, None, 3])

    row = " | ".join(f"{name}: {number}" for number, name in enumerate(names))
    assert read(make).section(0).splitlines() == [row, f"{names[0]}: 1 | {names[2]}: 3"]


def test_a_cell_far_away_and_wrong_dimensions_cost_nothing() -> None:
    def make(workbook: Any) -> None:
        workbook.active["A1"] = "near"
        workbook.active["XFD90000"] = "far"

    assert read(make).section(0) == "near\n\nfar"


def test_the_text_of_a_sheet_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_SHEET_CHARACTERS", 20)
    document = read(lambda workbook: workbook.active.append(["a" * 30]))
    with pytest.raises(ExtractionError, match="over 20 characters: split it"):
        document.section(0)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.435, "0.0%", "43.5%"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (-1234.5, "$#,##0.00;[Red]($#,##0.00)", "($1,234.50)"),
        (1234.5, "#,##0.00 [$\u20ac-407]", "1,234.50 \u20ac"),
        (7, '0 "bps"', "7 bps"),
        (12_345_678, "$#,##0,", "$12,346"),
        (5, '"Q"0" of 4.0"', "Q5 of 4.0"),
        (2.5, "# ?/?", "2.5"),
        (0.1 + 0.2, "General", "0.3"),
        (1e6, "General", "1000000"),
        (2026, "@", "2026"),
        (datetime(2026, 11, 29), "mm-dd-yy", "2026-11-29"),  # noqa: DTZ001
        (datetime(2026, 11, 29, 9, 30), "m/d/yy h:mm", "2026-11-29 09:30"),  # noqa: DTZ001
        (date(2026, 1, 2), "d-mmm", "2026-01-02"),
        (True, "General", "TRUE"),
        (" two \n lines ", "General", "two lines"),
        (None, "General", ""),
    ],
)
def test_values_are_what_their_cells_show(value: object, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


def test_a_sheet_whose_part_is_missing_is_an_error() -> None:
    workbook, whole, damaged = Workbook(), BytesIO(), BytesIO()
    rates(workbook)
    workbook.save(whole)
    with ZipFile(whole) as file, ZipFile(damaged, "w") as copy:
        for name in file.namelist():
            if name != "xl/worksheets/sheet1.xml":
                copy.writestr(name, file.read(name))
    text = extract(damaged.getvalue(), "office")
    with pytest.raises(ExtractionError, match="damaged"):
        text.section(0)
