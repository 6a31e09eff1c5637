"""Sends real requests to the whole local estate for some minutes, and looks for leaks.

`./pants run backend/benchmarks:load -- --minutes 5` starts an estate on free ports, warms it up,
and counts requests, times and errors, and memory, descriptors and threads of each process. It exits
with 1 after an error that is not deliberate shedding (429 or 503 with Retry-After), after a growth
of memory of more than 2 %, or of descriptors. Results go to docs/benchmarks/ and
docs/benchmarks.md.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final, Never

from rich.console import Console

from benchmarks import report
from benchmarks.soak.estate import Estate, EstateFailed, running_estate
from benchmarks.soak.outcome import Outcome
from benchmarks.soak.processes import changes, sample
from benchmarks.soak.traffic import Traffic
from local.blueprint import SERVICES

MINUTES: Final = 5.0
WARM_UP_MINUTES: Final = 2.0
USERS: Final = (
    8  # two processors are saturated, and no function needs more processes than it may have
)
MOST_REQUESTS: Final = 90_000  # a key's quota is 100,000 a month
_SAMPLE_SECONDS: Final = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load and return 0, or 1 after an error or a growth."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _end)  # so that the estate is stopped
    console = Console(highlight=False, soft_wrap=True)
    misses: list[str] = []
    outcome = None
    try:
        with running_estate("--unlimited") as estate:
            outcome = _measure(estate, options, console)
    except EstateFailed as error:  # where it does not stop in order, there are results
        misses.append(str(error))
    if outcome is not None:
        console.print(outcome.markdown(), markup=False)
        misses += outcome.misses()
        if outcome.judges_growth:
            root = report.repository()
            report.write_values(root / "docs/benchmarks/load.json", outcome.as_json())
            report.write_page(root / "docs/benchmarks.md", "load", outcome.markdown())
    for miss in misses:
        console.print(f"missed: {miss}", markup=False)
    return 1 if misses else 0


def _measure(estate: Estate, options: argparse.Namespace, console: Console) -> Outcome:
    console.print(f"The estate is ready. Warming up for {options.warm_up:g} minutes.")
    traffic = Traffic(estate.variables, options.users)
    traffic.start()
    try:
        complete = traffic.wait(options.warm_up * 60, options.requests)
        left = options.requests - traffic.tally.requests
        traffic.tally.begin()
        console.print(f"Measuring for {options.minutes:g} minutes.")
        began, samples = time.monotonic(), [sample(estate.pid)]
        while complete and (seconds := began + options.minutes * 60 - time.monotonic()) > 0:
            complete = traffic.wait(min(seconds, _SAMPLE_SECONDS), left)
            samples.append(sample(estate.pid))
    finally:
        traffic.stop()
    seconds = time.monotonic() - began
    if not complete:
        console.print(f"It ended early, after {options.requests} requests.")
    is_long = options.minutes >= MINUTES and options.warm_up >= WARM_UP_MINUTES
    return Outcome(
        options.users,
        seconds,
        traffic.tally,
        changes(samples),
        SERVICES,
        judges_growth=complete and is_long,
        has_grown=len(samples[-1]) > len(samples[0]),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        help=f"the measured time (default: {MINUTES:g}); a shorter run, or one with a shorter "
        "warm-up, judges no growth and writes nothing",
    )
    parser.add_argument(
        "--warm-up",
        type=float,
        default=WARM_UP_MINUTES,
        metavar="MINUTES",
        help=f"the time before (default: {WARM_UP_MINUTES:g})",
    )
    parser.add_argument(
        "--users",
        type=int,
        default=USERS,
        help=f"callers that send one request after another (default: {USERS})",
    )
    parser.add_argument(
        "--requests",
        type=int,
        default=MOST_REQUESTS,
        help=f"end after so many requests (default: {MOST_REQUESTS})",
    )
    options = parser.parse_args(arguments)
    if not 0 < options.minutes <= 60 or not 0 <= options.warm_up <= 60:
        parser.error("--minutes and --warm-up: at most 60, and --minutes more than 0")
    if not 1 <= options.users <= 100:
        parser.error("--users: expects 1 to 100")
    if not 1 <= options.requests <= MOST_REQUESTS:
        parser.error(f"--requests: expects 1 to {MOST_REQUESTS}")
    return options


def _end(*_: object) -> Never:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
