"""The prices of prices.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Price:
    """Dollars for one unit, after a monthly free amount of units."""

    usd: float
    source: str
    free: float = 0

    def of(self, units: float) -> float:
        """Return the dollars for a month's units."""
        return max(0.0, units - self.free) * self.usd


@dataclass(frozen=True)
class Prices:
    """All prices, by name, and the month in which they were published."""

    as_of: str
    region: str
    by_name: dict[str, Price]

    @classmethod
    def read(cls, file: Path = FILE) -> "Prices":
        document = json.loads(file.read_text(encoding="utf-8"))
        prices = {name: Price(**price) for name, price in document["prices"].items()}
        return cls(document["as_of"], document["region"], prices)

    def __getitem__(self, name: str) -> Price:
        return self.by_name[name]
