"""Metrics as log lines in CloudWatch's Embedded Metric Format: no agent, no call, no wait.

Each name is billed for each service and environment. So there are few names, and no dimension whose
values come from callers. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
CloudWatch_Embedded_Metric_Format_Specification.html
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final

from shared.logging import write

METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Requests": "Count",
        "Errors": "Count",
        "Duration": "Milliseconds",
        "ColdStarts": "Count",
        "InputTokens": "Count",
        "OutputTokens": "Count",
        "RetrievalScore": "None",
        "RecordsFailed": "Count",
    }
)
"""Every metric of the services, and its unit. Terraform's dashboard and alarms use these names."""

DIMENSIONS: Final = ("Environment", "Service")
UNCOUNTED_PATHS: Final = frozenset({"/health", "/liveness", "/readiness"})
"""Probes are most of the requests to a quiet service, and no caller waits for them."""

_MOST_VALUES: Final = 100  # the format allows no more in one metric

_request: ContextVar[dict[str, list[float]] | None] = ContextVar("metrics", default=None)


def measure(name: str, value: float) -> None:
    """Add a measurement to the line of the current request; outside a request, do nothing.

    Several counts are added up. Of every other metric, up to 100 values a request are kept.

    Raises:
        KeyError: `METRICS` has no such name.
    """
    _ = METRICS[name]
    measured = _request.get()
    if measured is not None:
        # Several threads of a request may be here at once; appending to a list is atomic.
        measured.setdefault(name, []).append(value)


class ServiceMetrics:
    """Writes one line a request, in the project's namespace."""

    def __init__(self, namespace: str, environment: str, service: str) -> None:
        self._namespace = namespace
        self._dimensions = {"Environment": environment, "Service": service}

    def begin(self) -> Any:
        """Start collecting for a request, and return a token for `end`."""
        return _request.set({})

    def end(
        self,
        token: Any,
        *,
        path: str,
        status: int,
        duration_seconds: float,
        cold_start: bool | None,
    ) -> None:
        """Write the request's line, unless it was a probe. `cold_start` is None outside Lambda."""
        measured = _request.get() or {}
        _request.reset(token)
        if path in UNCOUNTED_PATHS:
            return
        values: dict[str, Any] = {
            "Requests": 1,
            "Errors": int(status >= 500),
            "Duration": round(duration_seconds * 1000, 3),
        }
        if cold_start is not None:
            values["ColdStarts"] = int(cold_start)
        for name, found in measured.items():
            values[name] = sum(found) if METRICS[name] == "Count" else found[:_MOST_VALUES]
        self._write(values)

    def add_error(self) -> None:
        """Count an error that occurred after the request's line, such as a too large answer."""
        self._write({"Errors": 1})

    def _write(self, values: dict[str, Any]) -> None:
        described = {
            "Namespace": self._namespace,
            "Dimensions": [list(DIMENSIONS)],
            "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in values],
        }
        header = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]}
        write("metrics", {"_aws": header, **self._dimensions, **values})
