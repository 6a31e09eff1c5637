"""The quota metrics, from API Gateway's wire format (moto has no GetUsage)."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from rotation import handler as entry
from rotation.tests.conftest import Estate, MakeEstate
from rotation.tests.fakes import Answer, FakeGateway


@pytest.fixture
def estate(make_estate: MakeEstate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    """An estate whose usage API answers with `usage` and `quota`."""
    estate = make_estate()
    estate.quota.update(limit=1000, period="MONTH")

    def answer(path: str, key: str | None) -> Answer:
        if "/usage?" in path:
            return 200, {"usagePlanId": estate.plan, "values": estate.usage}
        if path == f"/usageplans/{estate.plan}":
            return 200, {"id": estate.plan, **({"quota": estate.quota} if estate.quota else {})}
        if path.startswith(f"/usageplans/{estate.plan}/keys"):
            return 200, {"item": [{"id": estate.terraform_key["id"]}]}
        if path.startswith("/apikeys?"):
            items = [{**item, "createdDate": 0, "lastUpdatedDate": 0} for item in keys]
            return 200, {"item": items}
        return 404, {"message": "no such plan"}

    keys = list(estate.keys().values())
    api = FakeGateway(answer)
    with api.serving():
        client = boto3.client("apigateway", endpoint_url=api.url)
        monkeypatch.setattr(entry, "_api_gateway", lambda: client)
        yield estate


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    return [line for line in written if "_aws" in line]


def publish() -> dict[str, Any]:
    return entry.handler({"task": "publish-quota"}, None)


def test_publishes_the_remaining_quota_of_the_current_key_on_the_last_day(
    estate: Estate, capfd: pytest.CaptureFixture[str]
) -> None:
    estate.usage[estate.terraform_key["id"]] = [[10, 990], [40, 950]]
    estate.usage["another"] = [[999, 1]]

    assert publish() == {"published": {"api": 950}}

    (line,) = lines(capfd)
    assert line["QuotaRemaining"] == 950
    assert line["QuotaRemainingPercent"] == 95.0
    assert (line["Environment"], line["Service"]) == ("dev", "api")
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": estate.project,
        "Dimensions": [["Environment", "Service"]],
        "Metrics": [{"Name": "QuotaRemainingPercent", "Unit": "Percent"}],
    }


def test_a_key_without_a_call_has_its_whole_quota(
    estate: Estate, capfd: pytest.CaptureFixture[str]
) -> None:
    assert publish() == {"published": {"api": 1000}}
    assert lines(capfd)[0]["QuotaRemainingPercent"] == 100.0


def test_a_plan_without_a_quota_has_no_metric(
    estate: Estate, capfd: pytest.CaptureFixture[str]
) -> None:
    estate.quota.clear()
    assert publish() == {"published": {}}
    assert lines(capfd) == []


def test_one_plan_that_cannot_be_read_does_not_hide_the_others(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USAGE_PLAN_IDS", json.dumps({"gone": "none", "api": estate.plan}))
    entry._settings.cache_clear()

    with pytest.raises(RuntimeError, match="gone"):
        publish()
    assert [line["Service"] for line in lines(capfd)] == ["api"]


def test_metrics_are_written_at_every_log_level(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    entry._settings.cache_clear()
    publish()
    assert len(lines(capfd)) == 1
