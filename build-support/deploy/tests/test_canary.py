"""A new version is promoted only if metrics of its own show that it is good."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from deploy import canary, checks, promote, traffic
from deploy.canary import Canary, Trial
from deploy.program import Refused
from deploy.terraform import Terraform
from deploy.tests.fakes import FakeLambda, FakeMetrics
from deploy.traffic import Alias

API = "fin-advisor-dev-api"
ROTATION = "fin-advisor-dev-rotation"

type Count = Callable[[str, Mapping[str, str], bool], float]


def counting(
    *, invocations: float = 40, errors: float = 0, failures: float = 0, usual: float = 0
) -> Count:
    """Return counts of the new version, and of 5xx during the canary and before it."""

    def count(name: str, dimensions: Mapping[str, str], before: bool) -> float:
        if name.startswith("AWS/Lambda/"):
            assert dimensions == {
                "FunctionName": API,
                "Resource": f"{API}:live",
                "ExecutedVersion": "3",
            }
            assert not before or name.endswith(("Invocations", "Errors"))
            return {"Invocations": invocations, "Errors": errors}[name.rpartition("/")[2]]
        assert dimensions == {"Environment": "dev", "Service": "api"}
        return {
            "fin-advisor/Requests": 400.0,
            "fin-advisor/Errors": usual if before else failures,
        }[name]

    return count


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FakeLambda:
    """Two functions whose version 2 serves, with canaries that last a moment."""
    fake = FakeLambda({API: "2", ROTATION: "2"})
    monkeypatch.setattr(traffic, "client", lambda name: fake)
    monkeypatch.setattr(checks, "client", lambda name: fake)
    monkeypatch.setattr(canary, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(canary, "SETTLE_SECONDS", 0.05)
    return fake


def run(monkeypatch: pytest.MonkeyPatch, count: Count, *, share: float = 0.1) -> None:
    metrics = FakeMetrics(count)
    monkeypatch.setattr(canary, "client", lambda name: metrics)
    trials = [
        Trial("api", Alias(API, "live", "2"), "3"),
        Trial("rotation", Alias(ROTATION, "live", "2"), "3"),
    ]
    Canary("fin-advisor", "dev", share, seconds=0.05).run(trials)


def test_a_good_version_keeps_its_share_until_it_is_promoted(
    functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, counting())
    assert functions.weights[API] == {"3": 0.1}
    # Requests of its own, through the alias, enough for both versions. A function without routes
    # is not tried.
    assert len(functions.invocations) == 2 * canary.MIN_REQUESTS / 0.1 + 1
    assert set(functions.invocations) == {(API, "live")}
    assert ROTATION not in functions.weights


@pytest.mark.parametrize(
    ("count", "complaint"),
    [
        (counting(errors=1), "api version 3 failed 1 of 40 invocations"),
        (counting(failures=5), "api answered 5 of 400 requests with a 5xx while api version 3"),
        (counting(failures=9, usual=4), "and usually 4"),
        (counting(invocations=19), "had 19 requests, too few to judge it: 20 are needed"),
        (counting(invocations=0), "had 0 requests"),
    ],
    ids=["errors", "5xx", "more 5xx", "few", "none"],
)
def test_a_version_that_is_not_good_gets_no_traffic(
    functions: FakeLambda, monkeypatch: pytest.MonkeyPatch, count: Count, complaint: str
) -> None:
    with pytest.raises(Refused, match=complaint):
        run(monkeypatch, count)
    assert functions.versions[API] == "2"
    assert functions.weights[API] == {}


def test_the_usual_share_of_5xx_is_no_fault_of_the_new_version(
    functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, counting(failures=4, usual=4))
    assert functions.weights[API] == {"3": 0.1}


def test_a_few_errors_among_many_requests_are_accepted(
    functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, counting(invocations=1000, errors=10))
    with pytest.raises(Refused, match="failed 11 of 1000"):
        run(monkeypatch, counting(invocations=1000, errors=11))


def test_a_job_that_is_stopped_takes_the_share_back(
    functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(name: str, dimensions: Mapping[str, str], before: bool) -> float:
        if not before:
            raise KeyboardInterrupt
        return 0

    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, stopped)
    assert functions.weights[API] == {}


@pytest.mark.parametrize("outputs", [{}, {"canary": {"percent": 0, "minutes": 10}}])
def test_it_is_off_unless_a_share_is_set(outputs: dict[str, Any]) -> None:
    assert Canary.of(outputs, "dev") is None


def test_share_and_duration_are_terraforms() -> None:
    found = {"percent": 5, "minutes": 10, "metrics_namespace": "acme"}
    assert Canary.of({"canary": found}, "prod") == Canary("acme", "prod", 0.05, 600)


def test_promote_tries_new_versions_first(
    functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = {
        "canary": {"percent": 10, "minutes": 0.001, "metrics_namespace": "fin-advisor"},
        "functions": {"api": {"name": API, "alias": "live", "newest_version": "3"}},
    }
    monkeypatch.setattr(Terraform, "outputs", lambda self: outputs)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    bad, good = FakeMetrics(counting(errors=1)), FakeMetrics(counting())
    monkeypatch.setattr(canary, "client", lambda name: bad)
    with pytest.raises(Refused, match="failed 1 of 40"):
        promote.main(["--environment", "dev"])
    assert functions.versions[API] == "2"
    monkeypatch.setattr(canary, "client", lambda name: good)
    promote.main(["--environment", "dev"])
    assert (functions.versions[API], functions.weights[API]) == ("3", {})
