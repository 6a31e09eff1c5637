"""Answers of ConverseStream: the events of a Converse answer, in AWS's binary framing.

https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html describes the framing.
"""

import json
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

_PRELUDE_AND_CHECKSUMS: Final = 16
_STRING: Final = 7
_PIECE: Final = re.compile(r".{1,12}", re.DOTALL)


def streamed(answer: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the events of an answer of Converse, its text a few characters at a time."""
    yield event("messageStart", {"role": "assistant"})
    for index, block in enumerate(answer["output"]["message"]["content"]):
        for delta in _deltas(block):
            yield event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        yield event("contentBlockStop", {"contentBlockIndex": index})
    yield event("messageStop", {"stopReason": answer["stopReason"]})
    yield event("metadata", {"usage": answer["usage"], "metrics": answer["metrics"]})


def event(event_type: str, payload: Mapping[str, Any]) -> bytes:
    """Return one event as bytes."""
    return _message(
        {":event-type": event_type, ":content-type": "application/json", ":message-type": "event"},
        payload,
    )


def failure(exception_type: str, message: str) -> bytes:
    """Return the exception that ends a stream, such as `modelStreamErrorException`."""
    return _message(
        {
            ":exception-type": exception_type,
            ":content-type": "application/json",
            ":message-type": "exception",
        },
        {"message": message},
    )


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "reasoningContent" in block:
        thought = block["reasoningContent"]["reasoningText"]
        for piece in _PIECE.findall(thought["text"]):
            yield {"reasoningContent": {"text": piece}}
        if "signature" in thought:
            yield {"reasoningContent": {"signature": thought["signature"]}}
        return
    cited = block.get("citationsContent", {})
    text = cited["content"][0]["text"] if cited else block["text"]
    for piece in _PIECE.findall(text):
        yield {"text": piece}
    for citation in cited.get("citations", ()):
        yield {"citation": citation}


def _message(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    head = b"".join(
        struct.pack(f"!B{len(name)}sBH", len(name), name.encode(), _STRING, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    body = json.dumps(payload).encode()
    lengths = struct.pack("!II", len(head) + len(body) + _PRELUDE_AND_CHECKSUMS, len(head))
    message = lengths + struct.pack("!I", crc32(lengths)) + head + body
    return message + struct.pack("!I", crc32(message))
