"""The dashboard and the alarms of terraform/ use metrics that the services write."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.blueprint import SERVICES
from local.conftest import RunningUp
from shared.telemetry.metrics import DIMENSIONS, METRICS

_TERRAFORM = Path(__file__).parents[3] / "terraform" / "observability.tf"
_BY_ROTATION = {"QuotaRemainingPercent"}
_NAMESPACE = "local.metrics_namespace"


def _text() -> str:
    return _TERRAFORM.read_text()


def _alarms() -> list[dict[str, str]]:
    """The attributes of each alarm on a metric of the services."""
    blocks = re.findall(
        r'^resource "aws_cloudwatch_metric_alarm" .*?^}', _text(), re.MULTILINE | re.DOTALL
    )
    alarms = [dict(re.findall(r"^  (\w+) += (.+)$", block, re.MULTILINE)) for block in blocks]
    return [alarm for alarm in alarms if alarm.get("namespace") == _NAMESPACE]


def _own_subjects() -> tuple[str, str]:
    """The dashboard's widgets for metrics of the services: their names and expressions."""
    found = re.search(
        r"for subject, services in \{(.*?)\} : subject => \{(.*?)\}", _text(), re.DOTALL
    )
    assert found
    return found[1], found[2]


def _rows() -> list[set[str]]:
    """The metrics in each row of the dashboard that shows metrics of the services."""
    own = set(re.findall(r"(\w+) +=", _own_subjects()[0]))
    rows = re.findall(r'\btitle = .*\bmetrics = \[(.*?)\], of = "(\w+)"', _text())
    return [set(re.findall(r'"(\w+)"', metrics)) for metrics, subject in rows if subject in own]


def test_the_namespace_is_the_projects_name() -> None:
    assert re.search(r"metrics_namespace += var\.project_name", _text())


def test_every_alarm_is_on_a_metric_that_is_written() -> None:
    alarms = _alarms()
    assert alarms
    for alarm in alarms:
        assert json.loads(alarm["metric_name"]) in set(METRICS) | _BY_ROTATION
        assert set(re.findall(r"(\w+) =", alarm["dimensions"])) == set(DIMENSIONS)


def test_every_row_of_the_dashboard_shows_metrics_that_are_written() -> None:
    assert all(_rows())
    made = _own_subjects()[1]
    assert _NAMESPACE in made
    assert all(f'"{dimension}"' in made for dimension in DIMENSIONS)


def test_the_dashboard_shows_every_metric() -> None:
    assert set().union(*_rows()) == set(METRICS) | _BY_ROTATION


@pytest.mark.parametrize("service", SERVICES)
def test_the_estates_services_write_them(estate: RunningUp, service: str) -> None:
    for _ in range(2):
        httpx.get(f"{estate.url}/{service}/no-such-path", headers=estate.headers, timeout=30)
    lines = [json.loads(line) for line in estate.log(service).splitlines() if "_aws" in line]
    assert lines
    for line in lines:
        _check(line, service)


def _check(line: dict[str, Any], service: str) -> None:
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "fin-advisor"
    assert directive["Dimensions"] == [list(DIMENSIONS)]
    assert (line["Environment"], line["Service"]) == ("dev", service)
    described = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert described.items() <= METRICS.items()
    assert {"Requests", "Errors", "Duration"} <= described.keys() <= line.keys()
