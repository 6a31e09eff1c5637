"""Estimates a month's bill: `./pants run build-support/cost:estimate -- --requests 100000`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from cost.bill import fixed, per_volume
from cost.page import table
from cost.prices import Prices
from cost.usage import Question

_MOST = 100_000_000  # More would reach volume discounts, which are not in prices.json.


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    default = Question()
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--requests", type=int, required=True, help="questions a month")
    cli.add_argument("--platform", choices=("apprunner", "lambda"), default="apprunner")
    cli.add_argument("--profile", choices=("geographic", "global"), default="geographic")
    cli.add_argument("--sample-percent", type=float, default=5.0)
    cli.add_argument("--model-seconds", type=float, default=default.model_seconds)
    cli.add_argument("--input-tokens", type=int, default=default.input_tokens)
    cli.add_argument("--output-tokens", type=int, default=default.output_tokens)
    args = cli.parse_args(arguments)
    if not 0 <= args.requests <= _MOST:
        cli.error(f"--requests must be between 0 and {_MOST:,}")
    if not 0 <= args.sample_percent <= 100:
        cli.error("--sample-percent must be between 0 and 100")
    if min(args.model_seconds, args.input_tokens, args.output_tokens) < 0:
        cli.error("seconds and tokens must not be negative")
    return args


def main(arguments: Sequence[str]) -> None:
    """Print the bill as a table."""
    args = _arguments(arguments)
    prices = Prices.read()
    question = replace(
        Question(),
        model_seconds=args.model_seconds,
        input_tokens=args.input_tokens,
        output_tokens=args.output_tokens,
    )
    lines = [
        *fixed(prices, args.platform),
        *per_volume(prices, args.requests, question, args.sample_percent, args.profile),
    ]
    print(f"{args.requests:,} questions a month, {prices.region}, prices of {prices.as_of}\n")
    print(table({"a month": lines}))


if __name__ == "__main__":
    main(sys.argv[1:])
