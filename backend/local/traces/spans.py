"""A finished span, converted from OTLP or from an X-Ray segment document."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

# In the order of OTLP's enum numbers.
KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("UNSET", "OK", "ERROR")


@dataclass(frozen=True, slots=True)
class Span:
    """A finished span. Ids are hexadecimal (32 digits for a trace, 16 for a span), `parent_id` is
    empty for a root, times are epoch nanoseconds.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    status: str = "UNSET"
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    scope: str = ""

    @property
    def xray_trace_id(self) -> str:
        return f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"

    @property
    def duration_ms(self) -> float:
        return (self.end_ns - self.start_ns) / 1e6

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def plain_trace_id(trace_id: str) -> str:
    """The 32 digits of a trace id that may be in X-Ray's form, `1-xxxxxxxx-…`."""
    return trace_id[2:].replace("-", "") if trace_id.startswith("1-") else trace_id


def from_otlp(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """The spans in an OTLP export request."""
    for group in request.resource_spans:
        resource = {pair.key: _value(pair.value) for pair in group.resource.attributes}
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    service=str(resource.get("service.name", "unknown")),
                    name=span.name,
                    kind=KINDS[span.kind],
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    status=_STATUSES[span.status.code],
                    attributes={pair.key: _value(pair.value) for pair in span.attributes},
                    events=[
                        {
                            "name": event.name,
                            "time_ns": event.time_unix_nano,
                            "attributes": {
                                pair.key: _value(pair.value) for pair in event.attributes
                            },
                        }
                        for event in span.events
                    ],
                    scope=scope.scope.name,
                )


def from_segment(document: bytes | str) -> Iterator[Span]:
    """Yield the spans in a segment document, the JSON that X-Ray SDKs send to the X-Ray daemon.

    Raises:
        ValueError: It is not a segment document.
    """
    parsed = json.loads(document)
    try:
        yield from _from_segment(parsed, parsed["trace_id"], parsed.get("parent_id", ""), None)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a segment document: {error!r}") from error


def _from_segment(
    segment: dict[str, Any], trace_id: str, parent_id: str, service: str | None
) -> Iterator[Span]:
    if "end_time" not in segment:
        return  # in progress: the SDK sends it again when it has ended
    is_root = service is None and segment.get("type") != "subsegment"
    remote = segment.get("namespace") in {"aws", "remote"}
    failed = bool(segment.get("fault") or segment.get("error"))
    yield Span(
        trace_id=plain_trace_id(trace_id),
        span_id=segment["id"],
        parent_id=parent_id,
        service=service or segment["name"],
        name=segment["name"],
        kind="SERVER" if is_root else "CLIENT" if remote else "INTERNAL",
        start_ns=int(segment["start_time"] * 1e9),
        end_ns=int(segment["end_time"] * 1e9),
        status="ERROR" if failed else "UNSET",
        attributes={
            **segment.get("annotations", {}),
            **{f"aws.{name}": value for name, value in segment.get("aws", {}).items()},
        },
        scope="aws-xray",
    )
    for child in segment.get("subsegments", ()):
        yield from _from_segment(child, trace_id, segment["id"], service or segment["name"])


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind else None
