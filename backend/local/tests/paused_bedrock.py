"""A stand-in for Bedrock whose streams stop in the middle until a test lets them go on."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from local.bedrock.event_stream import streamed
from local.bedrock.runtime import Answer, Bedrock

MORE = (
    "\n\nThe rest of this answer is a second paragraph, which a test can hold back for as long "
    "as it needs, and of which no document says anything."
)
_HELD_EVENTS = 5


class PausedBedrock(Bedrock):
    """Streams an answer up to the middle of its second paragraph, then waits for `go_on`."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self.breaks_off = False
        """Whether a stream ends where it would otherwise wait."""

    def answer(self, path: str, body: bytes) -> Answer:
        answer = super().answer(path, body)
        if answer.stream is None:
            return answer
        return replace(answer, stream=self._paused(answer.content))

    def _paused(self, content: dict[str, Any]) -> Iterator[bytes]:
        text = next(one for one in content["output"]["message"]["content"] if "text" in one)
        text["text"] += MORE
        events = list(streamed(content))
        yield from events[:-_HELD_EVENTS]
        if self.breaks_off:
            return
        self.go_on.wait(60)
        yield from events[-_HELD_EVENTS:]
