"""The formulas, and the page that is made of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from cost.bill import fixed, per_volume
from cost.estimate import main
from cost.page import marked, tables
from cost.prices import Prices
from cost.usage import Question, traces

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "docs/cost.md"
PLANNED = REPOSITORY / "terraform/tests/tables/settings-terraform.json"


@pytest.fixture(scope="module")
def prices() -> Prices:
    return Prices.read()


def _by_part(prices: Prices, requests: int, **more: Any) -> dict[str, float]:
    question = replace(Question(), **more)
    return {line.part: line.usd for line in per_volume(prices, requests, question, 5.0, "global")}


def test_the_page_has_the_tables_that_the_formulas_give(prices: Prices) -> None:
    expected = {name: text + "\n" for name, text in tables(prices).items()}
    assert marked(PAGE.read_text()) == expected


def test_the_page_names_the_month_of_the_prices(prices: Prices) -> None:
    assert f"prices of {prices.as_of}" in PAGE.read_text()


def test_each_price_has_a_source(prices: Prices) -> None:
    assert all(price.source.startswith("https://aws.") for price in prices.by_name.values())


def test_a_function_that_waits_for_the_model_is_billed_twice(prices: Prices) -> None:
    """api waits for chat, and chat for the model: both at 0.5 GB."""
    slower = _by_part(prices, 1_000_000, model_seconds=11.0)["Lambda duration"]
    difference = slower - _by_part(prices, 1_000_000, model_seconds=10.0)["Lambda duration"]
    assert difference == pytest.approx(2 * 0.5 * 1_000_000 * 0.0000166667)


def test_the_geographic_profile_costs_a_tenth_more(prices: Prices) -> None:
    bills = [
        {line.part: line.usd for line in per_volume(prices, 1_000, Question(), 5.0, profile)}
        for profile in ("geographic", "global")
    ]
    assert bills[0]["model"] == pytest.approx(bills[1]["model"] * 1.1)
    assert bills[1]["model"] == pytest.approx(1_000 * (1_500 * 2 + 600 * 10) / 1e6)


@pytest.mark.parametrize(
    ("requests", "percent", "expected"),
    [
        (0, 5, 0),
        (1_000, 0, 1_000),  # Nearly each request is the first of its second.
        (1_000, 100, 1_000),
        (1_000_000_000, 0, 730 * 3600),  # One in each second, and no more.
    ],
)
def test_xray_samples_the_first_request_of_each_second_and_a_share_of_the_rest(
    requests: int, percent: float, expected: float
) -> None:
    assert traces(requests, percent) == pytest.approx(expected, rel=0.001)


def test_free_amounts_are_not_billed(prices: Prices) -> None:
    few = _by_part(prices, 10_000)
    assert few["logs"] == few["X-Ray"] == 0
    assert _by_part(prices, 10_000_000)["logs"] == pytest.approx((60 - 5) * 0.5)


@pytest.mark.parametrize(("plan", "platform"), [("dev", "apprunner"), ("developer", "lambda")])
def test_secrets_and_alarms_are_as_many_as_terraform_plans(
    prices: Prices, plan: str, platform: Literal["apprunner", "lambda"]
) -> None:
    formulas = {line.part: line.formula for line in fixed(prices, platform)}
    for part, kind in (
        ("secrets", "aws_secretsmanager_secret"),
        ("alarms", "aws_cloudwatch_metric_alarm"),
    ):
        assert formulas[part].startswith(f"{_planned(kind, plan)} ")


def _planned(kind: str, plan: str) -> int:
    """Count the resources of a type in a plan, by the tables that Terraform's tests check."""
    count = 0
    for name, body in json.loads(PLANNED.read_text()).items():
        address, _, keys = name.removesuffix("]").partition("[")
        if address.split(".")[-2] == kind and plan in body.get("exists", plan).split(", "):
            count += len(keys.split(", "))
    return count


def test_without_app_runner_nothing_of_it_is_billed(prices: Prices) -> None:
    assert not [line for line in fixed(prices, "lambda") if "App Runner" in line.part]


def test_the_program_prints_a_bill(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--requests", "100000", "--profile", "global"])
    printed = capsys.readouterr().out
    assert printed.startswith("100,000 questions a month, us-east-1")
    assert "| model | 1500 tokens in, 600 out | $900 |" in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["--requests", "-1"],
        ["--requests", "200000000"],
        ["--requests", "1", "--sample-percent", "101"],
    ],
)
def test_values_out_of_range_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "must be between" in capsys.readouterr().err
