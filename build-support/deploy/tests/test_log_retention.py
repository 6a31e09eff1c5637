"""App Runner's log groups get the same retention as Terraform's."""

from collections.abc import Iterable
from typing import Any, Self

import pytest

from deploy import log_retention
from deploy.log_retention import set_retention


class _Logs:
    def __init__(self) -> None:
        self.groups: dict[str, int | None] = {
            "/aws/apprunner/fin-advisor-dev-runner/0/application": None,
            "/aws/apprunner/fin-advisor-dev-runner/0/service": 30,
        }

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, *, logGroupNamePrefix: str) -> Iterable[Any]:  # noqa: N803 - boto3's name
        for name, days in self.groups.items():
            group = {"logGroupName": name} | ({"retentionInDays": days} if days else {})
            yield {"logGroups": [group] if name.startswith(logGroupNamePrefix) else []}

    def put_retention_policy(self, *, logGroupName: str, retentionInDays: int) -> None:  # noqa: N803 - boto3's name
        self.groups[logGroupName] = retentionInDays


def test_only_a_group_that_differs_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = _Logs()
    monkeypatch.setattr(log_retention, "client", lambda _: logs)
    changed = list(set_retention("/aws/apprunner/fin-advisor-dev-runner/0/", 30))
    assert changed == ["/aws/apprunner/fin-advisor-dev-runner/0/application"]
    assert set(logs.groups.values()) == {30}
