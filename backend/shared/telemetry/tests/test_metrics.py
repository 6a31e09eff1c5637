"""One line of metrics a request, in CloudWatch's format; few metrics, because each costs money."""

import asyncio
import time
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from shared.app import create_service_app
from shared.aws_lambda.entry import lambda_handler
from shared.conftest import Lines, MakeSettings
from shared.errors import Unavailable
from shared.telemetry import metrics
from shared.telemetry.metrics import DIMENSIONS, METRICS, measure
from shared.testing import FakeKeys, LambdaContext, api_gateway_event, app_client

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(make_settings: MakeSettings, lines: Lines) -> FastAPI:
    router = APIRouter()

    @router.get("/hello/{name}", summary="Hello")
    async def hello(name: str) -> str:
        return name

    @router.get("/down", summary="Down")
    async def down() -> None:
        raise Unavailable("It is down.")

    @router.get("/bug", summary="Bug")
    async def bug() -> None:
        raise RuntimeError("a bug")

    @router.get("/tokens/{count}", summary="Tokens")
    async def tokens(count: int) -> None:
        for _ in range(count):
            measure("InputTokens", 10)
            await asyncio.to_thread(measure, "OutputTokens", 1)
            measure("RetrievalScore", 0.5)

    made = create_service_app(make_settings(), title="T", description="D", routers=[router])
    lines.configure()
    return made


async def _line(app: FastAPI, lines: Lines, path: str) -> dict[str, Any]:
    async with app_client(app) as client:
        await client.get(path, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    [line] = lines.of("metrics")
    return line


def _described(line: dict[str, Any]) -> dict[str, str]:
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "fin-advisor"
    assert directive["Dimensions"] == [["Environment", "Service"]]
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


async def test_a_request_is_one_line_that_cloudwatch_can_read(app: FastAPI, lines: Lines) -> None:
    before = time.time() * 1000
    line = await _line(app, lines, "/hello/you")
    described = _described(line)
    assert described == {"Requests": "Count", "Errors": "Count", "Duration": "Milliseconds"}
    assert before - 1 <= line["_aws"]["Timestamp"] <= time.time() * 1000
    assert (line["Environment"], line["Service"]) == ("dev", "api")
    assert (line["Requests"], line["Errors"]) == (1, 0)
    [completed] = lines.of("request_completed")
    assert line["Duration"] == pytest.approx(completed["duration"] * 1000, abs=0.01)
    # The specification: each metric and dimension is a member of the same object.
    assert set(described) | set(DIMENSIONS) <= set(line)
    assert (bool(line["request_id"]), line["trace_id"]) == (True, "a" * 32), "to find the request"
    assert (line["service"], line["environment"], line["level"]) == ("api", "dev", "info")


@pytest.mark.parametrize(
    ("path", "errors"), [("/missing", 0), ("/down", 1), ("/bug", 1), ("/hello/a", 0)]
)
async def test_an_error_is_an_answer_of_500_or_more(
    app: FastAPI, lines: Lines, path: str, errors: int
) -> None:
    assert (await _line(app, lines, path))["Errors"] == errors


@pytest.mark.parametrize("path", ["/health", "/liveness", "/readiness"])
async def test_probes_are_not_counted(app: FastAPI, lines: Lines, path: str) -> None:
    async with app_client(app) as client:
        assert (await client.get(path)).status_code == 200
    assert lines.of("metrics") == []


@pytest.mark.parametrize(("count", "scores"), [(3, 3), (150, 100)])
async def test_a_line_has_what_the_request_measured_within_the_formats_limit(
    app: FastAPI, lines: Lines, count: int, scores: int
) -> None:
    line = await _line(app, lines, f"/tokens/{count}")
    assert (line["InputTokens"], line["OutputTokens"]) == (10 * count, count)
    assert line["RetrievalScore"] == [0.5] * scores
    assert _described(line)["RetrievalScore"] == "None"


async def test_concurrent_requests_do_not_share_measurements(app: FastAPI, lines: Lines) -> None:
    async with app_client(app) as client:
        await asyncio.gather(*(client.get(f"/tokens/{number}") for number in range(1, 21)))
    counted = sorted(line["InputTokens"] for line in lines.of("metrics"))
    assert counted == [10 * number for number in range(1, 21)]


async def test_metrics_are_written_whatever_the_log_level(app: FastAPI, lines: Lines) -> None:
    lines.configure("CRITICAL")
    line = await _line(app, lines, "/hello/you")
    assert lines.all() == []
    assert line["Requests"] == 1


def test_a_function_counts_its_cold_start_once(
    app: FastAPI, lines: Lines, make_settings: MakeSettings
) -> None:
    handler = lambda_handler(app, make_settings(), keys=FakeKeys())
    for _ in range(3):
        handler(api_gateway_event("GET", "/api/hello/you"), LambdaContext())
    handler.close()
    assert [line["ColdStarts"] for line in lines.of("metrics")] == [1, 0, 0]


def test_measuring_outside_a_request_does_nothing_but_the_name_must_be_declared() -> None:
    measure("InputTokens", 1)
    assert metrics._request.get() is None
    with pytest.raises(KeyError, match="Surprise"):
        measure("Surprise", 1)


def test_there_are_no_more_metrics_than_budgeted() -> None:
    # One more: the rotation function publishes the remaining quota of each service.
    assert len(METRICS) + 1 <= 9
    assert set(METRICS.values()) <= {"Count", "Milliseconds", "None"}
