"""Spans as an OTLP request in protobuf's wire format.

The generated classes of `opentelemetry-proto` do the same, for 80 ms of every cold start and a
megabyte of every package; the tests hold this module to them, message by message.
https://github.com/open-telemetry/opentelemetry-proto (trace.proto, stable since 1.0)
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import DEFAULT_TRACE_STATE

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource as SdkResource
    from opentelemetry.sdk.trace import Event as SdkEvent
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, Status
    from opentelemetry.trace.span import TraceState

    from shared.telemetry.span_recorder import Event, RecordedSpan, Resource, Scope

_fixed64: Final = struct.Struct("<Q").pack
_fixed32: Final = struct.Struct("<I").pack
_double: Final = struct.Struct("<d").pack
# Ids, kind, times and flags, each after its tag.
_fixed_fields: Final = struct.Struct("<2s16s2s8sBBBQBQ2s4s").pack
_NOBODY: Final = (0, 0, False, None, None, False)  # where a SpanContext would be
_SHORT_TEXT: Final = 32  # longer ones, ids above all, seldom come again
# But for these, whose values are of one type each.
_REPEATED: Final = frozenset({"user_agent.original", "http.response.status_code"})
_MAX_PAIRS: Final = 1024
_UNSET: Final = b"\x7a\x00"  # a status that says nothing
# Whether the parent is remote is known (0x100), and that it is (0x200).
_LOCAL_FLAGS: Final = _fixed32(0x100)
_REMOTE_FLAGS: Final = _fixed32(0x300)


def encode(spans: "Sequence[ReadableSpan | RecordedSpan]") -> bytes:
    """Return an `ExportTraceServiceRequest`."""
    if len(spans) == 1:  # as most requests make: nothing to group
        [span] = spans
        of_scope = _scope(span.instrumentation_scope) + _field(b"\x12", _span(span))
        return _field(b"\x0a", _resource(span.resource) + _field(b"\x12", of_scope))
    # By identity: the hash of a resource is that of its attributes as JSON, as dear as a span.
    grouped: dict[int, tuple[Any, dict[Any, list[ReadableSpan | RecordedSpan]]]] = {}
    for span in spans:
        _, scopes = grouped.setdefault(id(span.resource), (span.resource, {}))
        scopes.setdefault(span.instrumentation_scope, []).append(span)
    return b"".join(
        [
            _field(
                b"\x0a",
                b"".join(
                    [_resource(resource), *[_scope_spans(*group) for group in scopes.items()]]
                ),
            )
            for resource, scopes in grouped.values()
        ]
    )


def _scope_spans(
    scope: "Scope | InstrumentationScope | None", spans: "Sequence[ReadableSpan | RecordedSpan]"
) -> bytes:
    parts = [_scope(scope)]
    for span in spans:
        encoded = _span(span)
        parts += (b"\x12", _size(len(encoded)), encoded)
    return _field(b"\x12", b"".join(parts))


_last_resource: "tuple[Resource | SdkResource | None, bytes]" = (None, b"")


def _resource(resource: "Resource | SdkResource") -> bytes:
    global _last_resource  # noqa: PLW0603 - a process has one, as a rule
    known, encoded = _last_resource
    if known is not resource:
        encoded = _field(b"\x0a", _attributes(b"\x0a", resource.attributes))
        _last_resource = (resource, encoded)
    return encoded


@lru_cache(maxsize=64)
def _scope(scope: "Scope | InstrumentationScope | None") -> bytes:
    if scope is None:
        return _field(b"\x0a", b"")
    return _field(
        b"\x0a",
        _text(b"\x0a", scope.name)
        + _text(b"\x12", scope.version or "")
        + _attributes(b"\x1a", scope.attributes),
    )


def _span(span: "ReadableSpan | RecordedSpan") -> bytes:
    # In one piece and without the properties of a `SpanContext`, a tuple: a function's time goes
    # to calls, and every request makes these.
    context, parent = span.context, span.parent
    trace_id, span_id, _, _, state, _ = context or _NOBODY
    parent_id, is_remote = (0, False) if parent is None else parent[1:3]
    parts = [
        _fixed_fields(
            b"\x0a\x10", trace_id.to_bytes(16), b"\x12\x08", span_id.to_bytes(8),
            0x30, span.kind._value_ + 1, 0x39, span.start_time or 0, 0x41, span.end_time or 0,
            b"\x85\x01", _REMOTE_FLAGS if is_remote else _LOCAL_FLAGS,
        ),
        _name(span.name),
        _attributes(b"\x4a", span.attributes),
        _status(span.status),
    ]  # fmt: skip
    if parent is not None:
        parts.append(b"\x22\x08" + parent_id.to_bytes(8))
    if state is not DEFAULT_TRACE_STATE and state:
        parts.append(_state(state))
    if span.dropped_attributes:
        parts.append(_number(b"\x50", span.dropped_attributes))
    if span.events:
        parts += [_field(b"\x5a", _event(event)) for event in span.events]
    if span.dropped_events:
        parts.append(_number(b"\x60", span.dropped_events))
    if span.links:
        parts += [_field(b"\x6a", _link(link)) for link in span.links]
    if span.dropped_links:
        parts.append(_number(b"\x70", span.dropped_links))
    return b"".join(parts)


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    return _text(b"\x2a", name)


@lru_cache(maxsize=16)  # of most spans it is the same object
def _status(status: "Status") -> bytes:
    if status.is_unset:
        return _UNSET
    told = _text(b"\x12", status.description or "") + _number(b"\x18", status.status_code.value)
    return _field(b"\x7a", told)


def _state(state: "TraceState") -> bytes:
    return _text(b"\x1a", ",".join(f"{key}={value}" for key, value in state.items()))


def _event(event: "Event | SdkEvent") -> bytes:
    return (
        b"\x09"
        + _fixed64(event.timestamp)
        + _text(b"\x12", event.name)
        + _attributes(b"\x1a", event.attributes)
        + _number(b"\x20", event.dropped_attributes)
    )


def _link(link: "Link") -> bytes:
    trace_id, span_id, is_remote, _, state, _ = link.context
    return (
        b"\x0a\x10"
        + trace_id.to_bytes(16)
        + b"\x12\x08"
        + span_id.to_bytes(8)
        + _state(state)
        + _attributes(b"\x22", link.attributes)
        + _number(b"\x28", link.dropped_attributes)
        + b"\x35"
        + (_REMOTE_FLAGS if is_remote else _LOCAL_FLAGS)
    )


def _attributes(tag: bytes, attributes: Mapping[str, Any] | None) -> bytes:
    if not attributes:
        return b""
    try:
        return b"".join(map(_pairs[tag].__getitem__, attributes.items()))
    except TypeError:  # a value without a hash, a mapping
        return b"".join([_pair(tag, key, value) for key, value in attributes.items()])


class _Pairs(dict[tuple[str, Any], bytes]):
    """Attributes as they were written before, by name and value; a new one is written here.

    Most attributes of a request are those of the request before it, and `map` over a dictionary
    finds all of a span's in less time than one of them takes to write.
    """

    def __init__(self, tag: bytes) -> None:
        self._tag = tag

    def __missing__(self, item: tuple[str, Any]) -> bytes:
        key, value = item
        written = _pair(self._tag, key, value)
        # Numbers are not kept: 1, 1.0 and True are one key.
        if (type(value) is str and len(value) <= _SHORT_TEXT) or key in _REPEATED:
            if len(self) >= _MAX_PAIRS:
                self.clear()
            self[item] = written
        return written


_pairs: Final = {tag: _Pairs(tag) for tag in (b"\x4a", b"\x1a", b"\x22", b"\x0a")}


def _pair(tag: bytes, key: str, value: object) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-8", "replace")
        return _before_text(tag, key, len(text)) + text
    return _field(tag, _key(key) + _field(b"\x12", _value(value)))


@lru_cache(maxsize=512)
def _before_text(tag: bytes, key: str, size: int) -> bytes:
    """Return what stands before an attribute's text of so many bytes."""
    value = b"\x0a" + _size(size)
    pair = _key(key) + b"\x12" + _size(len(value) + size) + value
    return tag + _size(len(pair) + size) + pair


@lru_cache(maxsize=256)
def _key(key: str) -> bytes:
    return _text(b"\x0a", key)


def _value(value: object) -> bytes:  # noqa: PLR0911 - one for each member of the oneof
    # A member of a "oneof" is written even where it is empty or zero.
    if isinstance(value, str):
        return _field(b"\x0a", value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return b"\x18" + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    if isinstance(value, float):
        return b"\x21" + _double(value)
    if isinstance(value, bytes):
        return _field(b"\x3a", value)
    if isinstance(value, Mapping):
        return _field(b"\x32", _attributes(b"\x0a", value))
    if isinstance(value, Sequence):
        return _field(b"\x2a", b"".join(_field(b"\x0a", _value(item)) for item in value))
    return b"" if value is None else _field(b"\x0a", repr(value).encode("utf-8", "replace"))


def _text(tag: bytes, text: str) -> bytes:
    return _field(tag, text.encode("utf-8", "replace")) if text else b""


def _number(tag: bytes, number: int) -> bytes:
    return tag + _varint(number) if number else b""


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _size(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# Kept, as are others here, because a function that is answered from a cache is not called.
_size = lru_cache(maxsize=4096)(_varint)
