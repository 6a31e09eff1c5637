"""Usage plans: which key may call the stage, at which rate and how often in a period."""

import datetime
import time
from collections.abc import Callable, Sequence
from enum import Enum

from local.blueprint import ApiKey, RestApi, UsagePlan
from local.gateway.throttle import TokenBucket


class Verdict(Enum):
    """Whether the usage plans admit a request, and if not, why."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    QUOTA_EXCEEDED = "quota exceeded"


class UsageMeter:
    """Counts requests per key and plan. `monotonic` returns seconds, `today` the date in UTC."""

    def __init__(
        self,
        api: RestApi,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime.date] = lambda: datetime.datetime.now(datetime.UTC).date(),
    ) -> None:
        self._keys = {key.value: key for key in api.keys}
        self._plans = _plans_by_key(api.usage_plans)
        self._monotonic = monotonic
        self._today = today
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._counts: dict[tuple[str, str, str], int] = {}

    def key(self, value: str | None) -> ApiKey | None:
        """The key with that value, if it is enabled and in a usage plan; otherwise None."""
        key = self._keys.get(value or "")
        if key is None or not key.enabled or key.key_id not in self._plans:
            return None
        return key

    def admit(self, key: ApiKey | None) -> Verdict:
        """Whether a request with that key may pass. Counts it if so."""
        if key is None:
            return Verdict.FORBIDDEN
        plan = self._plans[key.key_id]
        period = (plan.plan_id, key.key_id, self._period(plan))
        used = self._counts.get(period, 0)
        if plan.quota_limit is not None and used >= plan.quota_limit:
            return Verdict.QUOTA_EXCEEDED
        if not self._take_token(plan, key):
            return Verdict.THROTTLED
        self._counts[period] = used + 1
        return Verdict.ALLOWED

    def used(self, key: ApiKey) -> int:
        """The number of requests counted for that key in the current period."""
        plan = self._plans[key.key_id]
        return self._counts.get((plan.plan_id, key.key_id, self._period(plan)), 0)

    def _take_token(self, plan: UsagePlan, key: ApiKey) -> bool:
        if plan.rate_per_second is None:
            return True
        bucket = self._buckets.get((plan.plan_id, key.key_id))
        if bucket is None:
            bucket = TokenBucket(plan.rate_per_second, plan.burst, self._monotonic)
            self._buckets[plan.plan_id, key.key_id] = bucket
        return bucket.take()

    def _period(self, plan: UsagePlan) -> str:
        today = self._today()
        if plan.quota_period == "DAY":
            return today.isoformat()
        if plan.quota_period == "WEEK":
            return "{}-W{}".format(*today.isocalendar()[:2])
        return f"{today:%Y-%m}"


def _plans_by_key(plans: Sequence[UsagePlan]) -> dict[str, UsagePlan]:
    return {key_id: plan for plan in plans for key_id in plan.key_ids}
