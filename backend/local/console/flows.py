"""Who called whom within the last minute: services through the gateway, and AWS's services."""

import statistics
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from local.console.models import Flow
from local.gateway.hops import Hops
from local.traces.spans import Span
from local.traces.summaries import is_failure
from services.declared import DECLARED

WINDOW_SECONDS = 60.0

_KEPT_CALLS = 5_000
_LATEST_HOPS = 2_000
_AWS_NAMES = {
    "bedrockruntime": "bedrock",
    "bedrock runtime": "bedrock",
    "secrets manager": "secretsmanager",
}


@dataclass(frozen=True, slots=True)
class _Call:
    caller: str
    target: str
    at: float
    duration_ms: float
    failed: bool


class Flows:
    """Calls through the gateway, from its record, and calls of AWS, from spans."""

    def __init__(self, hops: Hops) -> None:
        self._hops = hops
        self._calls: deque[_Call] = deque(maxlen=_KEPT_CALLS)
        self._known = {
            (name, target) for name, one in DECLARED.services.items() for target in one.calls
        }

    def add(self, spans: Iterable[Span]) -> None:
        for span in spans:
            target = _aws_target(span)
            if target is not None:
                failed = is_failure(span.status, span.attributes.get("http.response.status_code"))
                self._calls.append(
                    _Call(span.service, target, span.end_ns / 1e9, span.duration_ms, failed)
                )

    def latest(self, now: float | None = None) -> list[Flow]:
        """The flows of the last minute, sorted by caller and target. Declared flows, and those that
        were seen earlier, are always among them.
        """
        since = (time.time() if now is None else now) - WINDOW_SECONDS
        calls = [
            _Call(
                hop.caller or "anonymous",
                hop.service or "gateway",
                hop.started_at,
                hop.duration_ms,
                hop.status >= 500,
            )
            for hop in self._hops.latest(_LATEST_HOPS)
        ]
        grouped: dict[tuple[str, str], list[_Call]] = defaultdict(list)
        for call in [*calls, *self._calls]:
            if call.at >= since:
                grouped[call.caller, call.target].append(call)
        self._known.update(grouped)
        return [_flow(*pair, grouped[pair]) for pair in sorted(self._known)]


def _flow(caller: str, target: str, calls: list[_Call]) -> Flow:
    durations = [call.duration_ms for call in calls] or [0.0]
    return Flow(
        caller=caller,
        target=target,
        requests=len(calls),
        errors=sum(call.failed for call in calls),
        median_ms=round(statistics.median(durations), 1),
        slowest_ms=round(max(durations), 1),
    )


def _aws_target(span: Span) -> str | None:
    if span.kind != "CLIENT" or span.attributes.get("rpc.system") != "aws-api":
        return None
    name = str(span.attributes.get("rpc.service", "aws")).lower()
    return _AWS_NAMES.get(name, name)
