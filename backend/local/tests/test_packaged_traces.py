"""With the packages that are deployed, a request is one trace. Pants puts the packages into the
working folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.conftest import RunningUp, start_up, stop_up
from local.tests.traced_requests import (
    check_ask,
    check_concurrent,
    check_off,
    check_test,
    load,
)


@contextmanager
def _packaged(folder: Path, tracing: str) -> Iterator[RunningUp]:
    running = start_up(folder, "--packages", str(Path.cwd()), "--tracing", tracing)
    try:
        assert len(running.children("lambda_function.handler")) == 3
        assert not running.children("runner.server")  # a PEX has another command line
        yield running
    finally:
        assert stop_up(running) == 0


@pytest.mark.parametrize("tracing", ["sdk", "udp"])
def test_a_request_is_one_trace(tmp_path: Path, tracing: str) -> None:
    with _packaged(tmp_path, tracing) as estate:
        assert estate.variables["OTLP_ENDPOINT"].startswith("udp://") == (tracing == "udp")
        load(estate)
        check_test(estate)
        check_ask(estate)
        check_concurrent(estate)


def test_without_tracing_requests_succeed_and_nothing_is_sent(tmp_path: Path) -> None:
    with _packaged(tmp_path, "off") as estate:
        check_off(estate)
