"""Keys, throttles and quotas."""

import datetime

from local.blueprint import ApiKey, RestApi, UsagePlan
from local.gateway.usage import UsageMeter, Verdict

KEY = ApiKey("k", "caller", "value")


class Clocks:
    """Clocks that the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.day = datetime.date(2026, 1, 30)

    def meter(self, *plans: UsagePlan) -> UsageMeter:
        api = RestApi("id", "name", "dev", {}, keys=(KEY,), usage_plans=plans)
        return UsageMeter(api, monotonic=lambda: self.seconds, today=lambda: self.day)


def test_no_key_is_forbidden() -> None:
    meter = Clocks().meter(UsagePlan("p", "plan", ("k",)))
    assert meter.key(None) is None
    assert meter.key("wrong") is None
    assert meter.admit(meter.key("wrong")) is Verdict.FORBIDDEN


def test_a_key_without_a_plan_is_forbidden() -> None:
    assert Clocks().meter().key("value") is None


def test_the_quota_ends_with_its_period() -> None:
    clocks = Clocks()
    meter = clocks.meter(UsagePlan("p", "plan", ("k",), quota_limit=2, quota_period="MONTH"))
    verdicts = [meter.admit(KEY) for _ in range(3)]
    assert verdicts == [Verdict.ALLOWED, Verdict.ALLOWED, Verdict.QUOTA_EXCEEDED]
    assert meter.used(KEY) == 2
    clocks.day = datetime.date(2026, 2, 1)
    assert meter.admit(KEY) is Verdict.ALLOWED


def test_a_week_counts_over_a_new_year() -> None:
    clocks = Clocks()
    meter = clocks.meter(UsagePlan("p", "plan", ("k",), quota_limit=1, quota_period="WEEK"))
    clocks.day = datetime.date(2026, 12, 31)
    assert meter.admit(KEY) is Verdict.ALLOWED
    clocks.day = datetime.date(2027, 1, 1)
    assert meter.admit(KEY) is Verdict.QUOTA_EXCEEDED
    clocks.day = datetime.date(2027, 1, 4)
    assert meter.admit(KEY) is Verdict.ALLOWED


def test_the_bucket_fills_with_time_up_to_the_burst() -> None:
    clocks = Clocks()
    meter = clocks.meter(UsagePlan("p", "plan", ("k",), rate_per_second=2, burst=3))
    assert [meter.admit(KEY) for _ in range(4)][-1] is Verdict.THROTTLED
    clocks.seconds = 0.5
    assert meter.admit(KEY) is Verdict.ALLOWED
    assert meter.admit(KEY) is Verdict.THROTTLED
    clocks.seconds = 100
    assert [meter.admit(KEY) for _ in range(4)].count(Verdict.ALLOWED) == 3


def test_a_throttled_request_does_not_count_against_the_quota() -> None:
    plan = UsagePlan("p", "plan", ("k",), quota_limit=5, rate_per_second=0.001, burst=1)
    meter = Clocks().meter(plan)
    for _ in range(4):
        meter.admit(KEY)
    assert meter.used(KEY) == 1
