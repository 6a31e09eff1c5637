"""Finding tables by where their texts are."""

from collections.abc import Sequence

import pytest

from runner.pdf_layout.lines import Line, Piece
from runner.pdf_layout.tables import lines_with_tables

_STRIPS = (50, 200, 300, 400)


def line(top: float, *cells: str, strips: Sequence[float] = _STRIPS, height: float = 10) -> Line:
    """Return a line with its cells at the left ends of the strips; `""` for an empty cell."""
    pieces = [
        Piece(text, left, left + 5 * len(text), top - height, top)
        for text, left in zip(cells, strips, strict=False)
        if text
    ]
    return Line(" ".join(filter(None, cells)), pieces, height)


def texts(lines: Sequence[Line]) -> list[str]:
    return [one.text for one in lines_with_tables(lines) if one.text]


def test_rows_of_numbers_are_a_table_below_the_names_of_its_columns() -> None:
    page = [
        line(700, "The caption of the table, which is a sentence above all of its columns."),
        line(688, "", "Year ended"),
        line(676, "", "2025", "2026"),
        line(664, "Revenue", "$", "1,234", strips=(50, 190, 200)),
        line(652, "Costs", "(900)", "\u2014"),
        line(640, "Of which:"),
        line(628, "Rent", "5 %", "n/a"),
        line(616, "A note."),
        line(560, "Text below the table."),
    ]
    assert texts(page) == [
        page[0].text,
        "|  | Year ended 2025 | 2026 |",
        "| --- | --- | --- |",
        "| Revenue | $1,234 |  |",
        "| Costs | (900) | \u2014 |",
        "| Of which: |  |  |",
        "| Rent | 5 % | n/a |",
        "A note.",
        "Text below the table.",
    ]


def test_columns_that_are_written_one_after_another_are_a_table() -> None:
    names = [line(700 - 12 * n, f"Fund {n}") for n in range(4)]
    fees = [line(700 - 12 * n, "", f"0.{n} %") for n in range(4)]
    assert texts([*names, *fees]) == [f"Fund {n} | 0.{n} %" for n in range(4)]


def test_short_texts_in_three_columns_are_a_table() -> None:
    rows = [("Name", "Kind", "Risk"), ("Index", "Fund", "High"), ("Saver", "Account", "Low")]
    page = [line(700 - 12 * n, *row) for n, row in enumerate(rows)]
    assert texts(page)[0] == "| Name | Kind | Risk |"
    assert texts(page)[2:] == ["| Index | Fund | High |", "| Saver | Account | Low |"]


@pytest.mark.parametrize("columns", [2, 3])
def test_text_in_columns_is_no_table(columns: int) -> None:
    strips = [50 + 190 * column for column in range(columns)]
    words = "words that fill the width of it here"
    page = [line(700 - 12 * n, *[f"{words} {n}"] * columns, strips=strips) for n in range(20)]
    assert texts(page) == [one.text for one in page]


def test_a_header_that_is_too_long_to_repeat_loses_its_upper_rows() -> None:
    page = [
        line(700, "", *["A long name above the name" * 2] * 3, strips=(50, 150, 450, 750)),
        line(688, "", *["The name of the column" * 2] * 3, strips=(50, 150, 450, 750)),
        *(
            line(676 - 12 * n, f"Row {n}", "1", "2", "3", strips=(50, 150, 450, 750))
            for n in range(4)
        ),
    ]
    name = "The name of the column" * 2
    assert f"|  | {name} | {name} | {name} |" in texts(page)
    assert any(text.startswith("A long name") for text in texts(page))
