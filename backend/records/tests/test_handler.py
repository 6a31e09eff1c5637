"""The entry of the sealing function."""

import json
from collections.abc import Iterator

import pytest

from records import handler
from records.tests.conftest import Estate
from records.tests.made import BEGIN, Writer

TASK = {"task": "seal-records"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("PROJECT_NAME", "fin-advisor")
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("SERVICE_NAME", "records")
    monkeypatch.setenv("RECORDS_BUCKET", "no-such-bucket")
    handler._settings.cache_clear()
    yield monkeypatch
    handler._settings.cache_clear()


@pytest.fixture
def configured(environment: pytest.MonkeyPatch, estate: Estate) -> Estate:
    environment.setenv("RECORDS_BUCKET", estate.bucket)
    return estate


def test_the_task_seals_and_says_how_much(
    configured: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    key, content = Writer("a").next(BEGIN)
    configured.s3.put_object(Bucket=configured.bucket, Key=key, Body=content)
    expected = {"task": "seal-records", "sealed": 1, "last_seal": 1, "delete_markers": 0}
    assert handler.handler(TASK, None) == expected
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "{" in line]
    assert any(line["event"] == "records_sealed" and line["sealed"] == 1 for line in lines)
    assert handler.handler(TASK, None)["sealed"] == 0


@pytest.mark.parametrize("event", [{}, {"task": "other"}, "text", None])
@pytest.mark.usefixtures("environment")
def test_another_event_is_refused(event: object) -> None:
    assert handler.handler(event, None)["error"] == "invalid_request"


@pytest.mark.usefixtures("estate", "environment")
def test_a_failure_is_raised_so_that_lambda_counts_it() -> None:
    with pytest.raises(Exception, match="Could not list"):
        handler.handler(TASK, None)
