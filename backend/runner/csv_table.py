"""Text of CSV files: one table, whose first row names the columns if it has no numbers."""

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import Final

from runner.tables import markdown_table, name_rows
from runner.text import ExtractionError, WholeText

_DELIMITERS: Final = ",;\t|"
_SAMPLED_ROWS: Final = 50


def read_csv(text: str) -> WholeText:
    """Return the rows of a CSV file as a table.

    Args:
        text: The file; commas, semicolons, tabs or bars separate the fields.

    Raises:
        ExtractionError: A field is longer than 131,072 characters, or there is no text.
    """
    # Not `csv.Sniffer`, which takes letters for delimiters.
    delimiter = max(_DELIMITERS, key=lambda one: _agreement(text, one))
    rows = [
        cells
        for row in _rows(text, delimiter)
        if any(cells := [" ".join(cell.split()) for cell in row])
    ]
    return WholeText("\n".join(markdown_table(rows, name_rows(rows))), None)


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    """Return which share of the first rows has the commonest number of fields, and that number."""
    try:
        rows = [*itertools.islice(filter(None, _rows(text, delimiter)), _SAMPLED_ROWS)]
    except ExtractionError:
        return 0.0, 0
    if not rows:
        return 0.0, 0
    fields, count = Counter(map(len, rows)).most_common(1)[0]
    return (count / len(rows), fields) if fields > 1 else (0.0, 1)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise ExtractionError(f"the CSV is damaged ({error}): save it again as CSV") from None
