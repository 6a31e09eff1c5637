"""The page docs/scaling.md has the tables and the formula of today."""

from pathlib import Path

from cost.page import marked
from cost.prices import Prices
from cost.vectors import Engine, table

_REPOSITORY = Path(__file__).parents[3]


def test_the_page_has_the_table_of_todays_prices() -> None:
    page = (_REPOSITORY / "docs/scaling.md").read_text()
    assert marked(page)["engines"] == table(Prices.read()) + "\n"


def test_the_memory_is_what_terraform_requires() -> None:
    rule = (_REPOSITORY / "terraform/lambda-s3vector.tf").read_text()
    assert "ceil(170 + 1.1 * 1.25 * var.max_store_mib + local.s3vector_merge_mib)" in rule
    assert "3 * min(32, max(8, var.max_store_mib / 16))" in rule
    # 1,024 MiB: 170 + 1408 + 96.
    assert Engine(1024 * 2**20 // 5250).memory_mb == 1674
