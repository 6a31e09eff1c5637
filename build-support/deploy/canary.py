"""Sends a share of the requests to new versions for some time, and decides by CloudWatch's metrics.

Terraform's variables `canary_percent` and `canary_minutes` switch it on; it is for functions only.
A version is good if it had enough requests, Lambda counted hardly any error of it, and its service
has not answered with more 5xx than before. In every other case, nothing is promoted.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from deploy.aws import client
from deploy.checks import CheckFailed, answers_directly
from deploy.program import Refused
from deploy.traffic import Alias
from services.declared import ROUTED

MIN_REQUESTS: Final = 20  # of each new version, with those that `observe` sends
MAX_ERROR_SHARE: Final = 0.01

_POLL_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 300.0  # CloudWatch shows a metric some minutes late
_PERIOD_SECONDS: Final = 60


@dataclass(frozen=True)
class Trial:
    """A new version of a service, beside the version that serves.

    Attributes:
        service: Name of the service.
        serving: The alias and the version that serves.
        version: The new version.
    """

    service: str
    serving: Alias
    version: str


@dataclass(frozen=True)
class Counts:
    """What CloudWatch counted during some time.

    Attributes:
        invocations: Requests to the new version, counted by Lambda.
        errors: Invocations of it that failed, counted by Lambda.
        requests: Requests to the service, by all versions, counted by the service itself.
        failures: Those of them that were answered with a 5xx.
    """

    invocations: float
    errors: float
    requests: float
    failures: float


@dataclass(frozen=True)
class Canary:
    """How many requests new versions get, and for how long.

    Attributes:
        project: Namespace of the services' own metrics.
        environment: Environment, a dimension of these metrics.
        share: Share of the requests, between 0 and 1.
        seconds: How long it lasts.
    """

    project: str
    environment: str
    share: float
    seconds: float

    @classmethod
    def of(cls, outputs: Mapping[str, Any], environment: str) -> Self | None:
        """Return the canary of Terraform's outputs, or None if it is off."""
        found = outputs.get("canary") or {}
        if not found.get("percent"):
            return None
        return cls(
            found["metrics_namespace"], environment, found["percent"] / 100, found["minutes"] * 60
        )

    def run(self, trials: Iterable[Trial]) -> None:
        """Split the traffic, observe, and return with the split in place if all versions are good.

        Raises:
            Refused: A version is not good, or had too few requests. No version has traffic then.
        """
        trials = [trial for trial in trials if trial.service in ROUTED]
        if not trials:
            print("no function with routes changes: there is nothing to try")
            return
        began = datetime.now(UTC)
        before = {trial.service: self.counts(trial, began - self._span, began) for trial in trials}
        try:
            for trial in trials:
                trial.serving.split(trial.version, self.share)
            self._observe(trials, before, began)
        except BaseException:
            for trial in trials:
                trial.serving.move(trial.serving.version)
            raise

    @property
    def _span(self) -> timedelta:
        return timedelta(seconds=self.seconds + SETTLE_SECONDS)

    def _observe(self, trials: list[Trial], before: Mapping[str, Counts], began: datetime) -> None:
        started = time.monotonic()
        planned, sent = int(2 * MIN_REQUESTS / self.share) + 1, 0
        while True:
            passed = time.monotonic() - started
            due = int(planned * min(1, (passed + _POLL_SECONDS) / self.seconds))
            self._send_requests(trials, due - sent)
            sent = due
            now = datetime.now(UTC)
            few: list[str] = []
            bad: list[str] = []
            for trial in trials:
                found = self.counts(trial, began, now)
                bad.extend(_bad(trial, found, before[trial.service]))
                if found.invocations < MIN_REQUESTS:
                    few.append(
                        f"{trial.service} version {trial.version} had {found.invocations:.0f} "
                        f"requests, too few to judge it: {MIN_REQUESTS} are needed"
                    )
            if bad:
                raise Refused("; ".join(bad))
            if passed >= self.seconds and not few:
                return
            if passed >= self.seconds + SETTLE_SECONDS:
                raise Refused(f"{'; '.join(few)}. Raise canary_percent or canary_minutes")
            time.sleep(_POLL_SECONDS)

    def _send_requests(self, trials: list[Trial], number: int) -> None:
        """Invoke each alias, so that also an environment without callers gets enough requests."""
        for trial in trials:
            by_alias = Alias(trial.serving.function, trial.serving.alias, trial.serving.alias)
            for _ in range(number):
                try:
                    answers_directly(by_alias, trial.service)
                except CheckFailed as failure:
                    # The metrics tell which version it was, so they decide.
                    print(failure)

    def counts(self, trial: Trial, begin: datetime, end: datetime) -> Counts:
        function, alias = trial.serving.function, trial.serving.alias
        executed = {
            "FunctionName": function,
            "Resource": f"{function}:{alias}",
            "ExecutedVersion": trial.version,
        }
        own = {"Environment": self.environment, "Service": trial.service}
        metrics = [
            ("invocations", "AWS/Lambda", "Invocations", executed),
            ("errors", "AWS/Lambda", "Errors", executed),
            ("requests", self.project, "Requests", own),
            ("failures", self.project, "Errors", own),
        ]
        pages = (
            client("cloudwatch")
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=[_query(*metric) for metric in metrics],
                StartTime=begin,
                EndTime=end,
            )
        )
        sums = dict.fromkeys(("invocations", "errors", "requests", "failures"), 0.0)
        for page in pages:
            for result in page["MetricDataResults"]:
                sums[result["Id"]] += sum(result["Values"])
        return Counts(**sums)


def _query(
    identifier: str, namespace: str, name: str, dimensions: Mapping[str, str]
) -> dict[str, Any]:
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    stat = {"Metric": metric, "Period": _PERIOD_SECONDS, "Stat": "Sum"}
    return {"Id": identifier, "MetricStat": stat}


def _bad(trial: Trial, found: Counts, before: Counts) -> Iterator[str]:
    """Yield why a version is not good; nothing if it is, or has too few requests."""
    name = f"{trial.service} version {trial.version}"
    allowed = MAX_ERROR_SHARE * max(found.invocations, MIN_REQUESTS)
    if found.errors > allowed:
        yield f"{name} failed {found.errors:.0f} of {found.invocations:.0f} invocations"
    # The services do not count by version, so what exceeds the earlier share is the new version's.
    expected = found.requests * before.failures / before.requests if before.requests else 0.0
    if found.failures - expected > allowed:
        yield (
            f"{trial.service} answered {found.failures:.0f} of {found.requests:.0f} requests with "
            f"a 5xx while {name} had a share of them, and usually {expected:.0f}"
        )
