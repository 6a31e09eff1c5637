"""Server-sent events are written and read, whatever the pieces in which they come."""

import pytest

from shared.errors import BadDependency
from shared.events import stream as event_stream
from shared.events.stream import Event, EventReader

EVENTS = [Event("status", '{"a":1}'), Event("done", '{"text":"\u00e4: \\n"}')]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_events_are_read_from_pieces_of_any_size(size: int) -> None:
    body = b": a comment\n\n" + b"".join(event.encoded() for event in EVENTS)
    reader, found = EventReader(), []
    for start in range(0, len(body), size):
        found += reader.feed(body[start : start + size])
    assert found == EVENTS


def test_an_event_that_was_cut_is_not_read() -> None:
    assert EventReader().feed(EVENTS[0].encoded()[:-1]) == []


def test_a_long_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MAX_EVENT_BYTES", 100)
    with pytest.raises(BadDependency, match="over 100 bytes"):
        EventReader().feed(b"data: " + b"x" * 200)
