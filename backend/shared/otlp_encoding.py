"""Spans as an OTLP request in protobuf's wire format.

The generated classes of `opentelemetry-proto` do the same, for 80 ms of every cold start and a
megabyte of every package; the tests hold this module to them, message by message.
https://github.com/open-telemetry/opentelemetry-proto (trace.proto, stable since 1.0)
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource as SdkResource
    from opentelemetry.sdk.trace import Event as SdkEvent
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, Status

    from shared.span_recorder import Event, RecordedSpan, Resource, Scope

_fixed64: Final = struct.Struct("<Q").pack
_fixed32: Final = struct.Struct("<I").pack
_double: Final = struct.Struct("<d").pack
_kind_and_times: Final = struct.Struct("<BBBQBQ").pack
# Whether the parent is remote is known (0x100), and that it is (0x200).
_CACHED_CHARACTERS: Final = 64  # longer texts seldom come again, and would stay for good
_UNSET: Final = b"\x7a\x00"  # a status that says nothing
_LOCAL_FLAGS: Final = _fixed32(0x100)
_REMOTE_FLAGS: Final = _fixed32(0x300)


def encode(spans: "Sequence[ReadableSpan | RecordedSpan]") -> bytes:
    """Return an `ExportTraceServiceRequest`."""
    # By identity: the hash of a resource is that of its attributes as JSON, as dear as a span.
    grouped: dict[int, tuple[Any, dict[Any, list[bytes]]]] = {}
    for span in spans:
        _, scopes = grouped.setdefault(id(span.resource), (span.resource, {}))
        scopes.setdefault(span.instrumentation_scope, []).append(_field(b"\x12", _span(span)))
    return b"".join(
        [
            _field(
                b"\x0a",
                _resource(resource)
                + b"".join(
                    [
                        _field(b"\x12", _scope(scope) + b"".join(encoded))
                        for scope, encoded in scopes.items()
                    ]
                ),
            )
            for resource, scopes in grouped.values()
        ]
    )


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
    context, parent, status = span.get_span_context(), span.parent, span.status
    parts = [
        _ids(context),
        b"\x22\x08" + parent.span_id.to_bytes(8) if parent else b"",
        _name(span.name),
        _kind_and_times(
            0x30, span.kind.value + 1, 0x39, span.start_time or 0, 0x41, span.end_time or 0
        ),
        _attributes(b"\x4a", span.attributes),
    ]
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
    parts.append(_status(status))
    parts.append(b"\x85\x01" + _flags(parent))
    return b"".join(parts)


@lru_cache(maxsize=64)
def _name(name: str) -> bytes:
    return _text(b"\x2a", name)


def _status(status: "Status") -> bytes:
    if status.is_unset:
        return _UNSET
    told = _text(b"\x12", status.description or "") + _number(b"\x18", status.status_code.value)
    return _field(b"\x7a", told)


def _ids(context: "SpanContext | None") -> bytes:
    if context is None:
        return b""
    ids = b"\x0a\x10" + context.trace_id.to_bytes(16) + b"\x12\x08" + context.span_id.to_bytes(8)
    if not context.trace_state:
        return ids
    state = ",".join(f"{key}={value}" for key, value in context.trace_state.items())
    return ids + _text(b"\x1a", state)


def _flags(parent: "SpanContext | None") -> bytes:
    return _REMOTE_FLAGS if parent is not None and parent.is_remote else _LOCAL_FLAGS


def _event(event: "Event | SdkEvent") -> bytes:
    return (
        b"\x09"
        + _fixed64(event.timestamp)
        + _text(b"\x12", event.name)
        + _attributes(b"\x1a", event.attributes)
        + _number(b"\x20", event.dropped_attributes)
    )


def _link(link: "Link") -> bytes:
    return (
        _ids(link.context)
        + _attributes(b"\x22", link.attributes)
        + _number(b"\x28", link.dropped_attributes)
        + b"\x35"
        + _flags(link.context)
    )


def _attributes(tag: bytes, attributes: Mapping[str, Any] | None) -> bytes:
    if not attributes:
        return b""
    return b"".join(
        [
            _known_pair(tag, key, value)
            if type(value) is int or (type(value) is str and len(value) <= _CACHED_CHARACTERS)
            else _pair(tag, key, value)
            for key, value in attributes.items()
        ]
    )


def _pair(tag: bytes, key: str, value: object) -> bytes:
    return _field(tag, _text(b"\x0a", key) + _field(b"\x12", _value(value)))


# Most attributes of a request are those of the request before it.
_known_pair = lru_cache(maxsize=1024, typed=True)(_pair)


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
    size = len(content)
    return tag + (bytes((size,)) if size < 0x80 else _varint(size)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
