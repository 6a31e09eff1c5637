"""Reads a stream of server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from client.errors import UnexpectedAnswer

_MAX_EVENT_CHARACTERS: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream: its name, and its data as JSON."""

    name: str
    data: Any


def events_of(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events of a stream's lines; one that is cut off is not yielded.

    Raises:
        UnexpectedAnswer: An event is too large, or its data is not JSON.
    """
    data: list[str] = []
    name, size = "message", 0
    for line in lines:
        if not line:
            if data:
                try:
                    yield Event(name, json.loads("\n".join(data)))
                except ValueError as error:
                    raise UnexpectedAnswer(f"the event {name} is not JSON") from error
            name, data, size = "message", [], 0
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        size += len(value)
        if size > _MAX_EVENT_CHARACTERS:
            raise UnexpectedAnswer("an event of the stream is too large")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
