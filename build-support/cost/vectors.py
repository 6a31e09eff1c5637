"""What both engines of s3vector cost a month, by passages: the tables of docs/scaling.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from cost.prices import Prices

PASSAGES: Final = (10_000, 38_000, 100_000, 500_000, 1_000_000, 10_000_000, 1_000_000_000)
QUERIES: Final = 100_000

_MIB: Final = 2**20
_PASSAGE_BYTES: Final = 5_250  # 1,024 dimensions and 1,000 characters, measured
_PROCESSED_BYTES: Final = 4_250  # the vector, its key and its filterable metadata
_MIN_MEMORY_MB: Final = 512
_MAX_MEMORY_MB: Final = 10_240
_CPU_MB: Final = 1_769  # Lambda's memory for one whole processor
_PRODUCT_SECONDS: Final = 3.5e-7  # of one processor, for each passage, measured
_AROUND_SECONDS: Final = 0.15  # the embedding and the manifest
_ENGINE_SECONDS: Final = 0.1  # a query of S3 Vectors, as AWS states
_DEAR_VECTORS: Final = 100_000


@dataclass(frozen=True)
class Engine:
    """The `s3` engine for a number of passages: its store, and a query in its function."""

    passages: int

    @property
    def store_mib(self) -> int:
        return ceil(self.passages * _PASSAGE_BYTES / _MIB)

    @property
    def memory_mb(self) -> int:
        """The memory that terraform/lambda-s3vector.tf requires, and at least the default."""
        merge = 3 * min(32.0, max(8.0, self.store_mib / 16))
        return max(_MIN_MEMORY_MB, ceil(170 + 1.1 * 1.25 * self.store_mib + merge))

    @property
    def fits(self) -> bool:
        return self.memory_mb <= _MAX_MEMORY_MB

    @property
    def product_seconds(self) -> float:
        """How long a query multiplies, with the function's share of a processor."""
        return self.passages * _PRODUCT_SECONDS / min(1.0, self.memory_mb / _CPU_MB)

    def usd(self, prices: Prices, queries: int) -> float:
        """Return the dollars of storage and queries a month."""
        seconds = _AROUND_SECONDS + self.product_seconds
        return (
            prices["s3_gb_month"].of(self.store_mib * _MIB / 1e9)
            + prices["s3_gets_million"].of(queries / 1e6)
            + prices["lambda_gb_second"].of(queries * seconds * self.memory_mb / 1024)
        )


def managed_usd(prices: Prices, passages: int, queries: int) -> float:
    """Return the dollars of Amazon S3 Vectors and its function's queries a month."""
    seconds = _AROUND_SECONDS + _ENGINE_SECONDS
    dear = min(passages, _DEAR_VECTORS) * _PROCESSED_BYTES / 1e12
    cheap = max(0, passages - _DEAR_VECTORS) * _PROCESSED_BYTES / 1e12
    return (
        prices["s3vectors_gb_month"].of(passages * _PASSAGE_BYTES / 1e9)
        + prices["s3vectors_queries_million"].of(queries / 1e6)
        + prices["s3vectors_first_processed_tb"].of(queries * dear)
        + prices["s3vectors_processed_tb"].of(queries * cheap)
        + prices["lambda_gb_second"].of(queries * seconds * _MIN_MEMORY_MB / 1024)
    )


def table(prices: Prices, passages: Sequence[int] = PASSAGES) -> str:
    """Return both engines' memory, time and price as a Markdown table."""
    rows = [
        ["passages", "store", "`s3`: memory", "product", "a month", "`s3vectors`: a month"],
        ["---"] * 6,
        *(_row(prices, one) for one in passages),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(prices: Prices, passages: int) -> list[str]:
    engine = Engine(passages)
    ours = ["too large", "", ""]
    if engine.fits:
        usd = engine.usd(prices, QUERIES)
        ours = [
            f"{engine.memory_mb:,} MB",
            f"{engine.product_seconds * 1000:.0f} ms",
            f"${usd:,.2f}",
        ]
    managed = f"${managed_usd(prices, passages, QUERIES):,.2f}"
    return [f"{passages:,}", f"{engine.store_mib:,} MiB", *ours, managed]
