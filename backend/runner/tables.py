"""Tables of HTML as tables of Markdown, which passages and the checks of answers understand."""

from collections.abc import Sequence


def markdown_table(rows: Sequence[Sequence[str]], headers: int) -> list[str]:
    """Return the lines of a table, one for each row.

    Args:
        rows: The cells of each row, each on one line.
        headers: How many of the first rows name the columns. If none does, the rows are lines with
            bars between the cells, because every table of Markdown has a header.
    """
    width = max((len(row) for row in rows), default=0)
    if not headers or len(rows) <= headers:
        return [" | ".join(filter(None, row)) for row in rows if any(row)]
    names = [_name(rows[:headers], column) for column in range(width)]
    body = [row for row in rows[headers:] if any(row)]
    return [
        _line(names, width),
        _line(["---"] * width, width),
        *(_line(row, width) for row in body),
    ]


def _name(rows: Sequence[Sequence[str]], column: int) -> str:
    """Return a column's name: the different cells of the header rows, from the top down."""
    cells = (row[column] for row in rows if column < len(row))
    return " ".join(dict.fromkeys(filter(None, cells)))


def _line(cells: Sequence[str], width: int) -> str:
    escaped = [cell.replace("|", "\\|") for cell in [*cells, *[""] * (width - len(cells))]]
    return f"| {' | '.join(escaped)} |"
