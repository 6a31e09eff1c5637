"""One meaning of a truth value, in documents, workbooks and presentations."""

import pytest

from runner.office.layout import SheetLayout
from runner.office.truth import is_true


@pytest.mark.parametrize("value", ["1", "true", "on"])
def test_true_is_written_in_three_ways(value: str) -> None:
    assert is_true(value, default=False)


@pytest.mark.parametrize("value", ["0", "false", "off"])
def test_false_is_written_in_three_ways(value: str) -> None:
    assert not is_true(value, default=True)


@pytest.mark.parametrize("default", [False, True])
def test_an_absent_attribute_has_the_default(default: bool) -> None:
    assert is_true(None, default=default) is default


@pytest.mark.parametrize(("value", "count"), [("on", 1), ("1", 1), ("off", 0), ("false", 0)])
def test_a_sheets_hidden_rows_are_read_in_every_form(value: str, count: int) -> None:
    sheet = f'<worksheet><sheetData><row r="2" hidden="{value}"/></sheetData></worksheet>'
    assert len(SheetLayout(sheet.encode()).hidden_rows) == count
