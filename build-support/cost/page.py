"""The tables of docs/cost.md, which a test compares with the page."""

import re
from collections.abc import Mapping, Sequence

from cost.bill import Line, fixed, network, per_volume
from cost.prices import Prices
from cost.usage import Question

VOLUMES = (1_000, 100_000, 10_000_000)


def table(columns: Mapping[str, Sequence[Line]]) -> str:
    """Return a Markdown table of bills with the same parts, and their sums."""
    bills = list(columns.values())
    rows = [["part", "how", *columns], ["---"] * (2 + len(bills))]
    rows += [
        [lines[0].part, lines[0].formula, *(_usd(line.usd) for line in lines)]
        for lines in zip(*bills, strict=True)
    ]
    sums = [sum(line.usd for line in lines) for lines in bills]
    rows.append(["**sum**", "", *(f"**{_usd(total)}**" for total in sums)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def tables(prices: Prices) -> dict[str, str]:
    """Return the page's tables, by the name in its marker `<!-- table: NAME -->`."""
    volumes = {
        f"{volume:,}": list(per_volume(prices, volume, Question(), 5.0, "geographic"))
        for volume in VOLUMES
    }
    return {
        "fixed on App Runner": table({"a month": list(fixed(prices, "apprunner"))}),
        "fixed on Lambda": table({"a month": list(fixed(prices, "lambda"))}),
        "volume": table(volumes),
        "network": table({"a month": list(network(prices, 2, 3))}),
    }


def marked(page: str) -> dict[str, str]:
    """Return the tables of a page that follow a marker, by its name."""
    return dict(re.findall(r"<!-- table: (.+?) -->\n((?:\|.*\n)+)", page))


def _usd(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.2f}"
