"""The console's one server-sent stream: what has changed, a few times a second."""

import asyncio
from collections.abc import AsyncIterator

from local.console.log_lines import LogLines
from local.console.questions import event
from local.console.state import EstateState
from local.console.uploads import Uploads
from local.traces.store import TraceStore

_PAUSE_SECONDS = 0.4
_ESTATE_EVERY = 3
_MOST_LINES = 200
"""Of each batch; under load the page gets the newest, and reads the others from the API."""


class Events:
    """Streams `estate`, `uploads`, `logs` (new lines) and `traces` (the number of changes)."""

    def __init__(
        self, state: EstateState, lines: LogLines, traces: TraceStore, uploads: Uploads
    ) -> None:
        self._state = state
        self._lines = lines
        self._traces = traces
        self._uploads = uploads
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all streams."""
        self._closing.set()

    async def stream(self) -> AsyncIterator[bytes]:
        number, line = 0, self._lines.newest
        estate, traces, uploads = "", -1, -1
        while not self._closing.is_set():
            if number % _ESTATE_EVERY == 0:
                found = self._state.now().model_dump_json()
                if found != estate:
                    estate = found
                    yield f"event: estate\ndata: {estate}\n\n".encode()
            if self._traces.summaries.changes != traces:
                traces = self._traces.summaries.changes
                yield event("traces", traces)
            if self._uploads.changes != uploads:
                uploads = self._uploads.changes
                yield event("uploads", [one.model_dump() for one in self._uploads.latest()])
            if lines := self._lines.after(line, _MOST_LINES):
                line = lines[-1].number
                yield event("logs", [one.model_dump() for one in lines])
            number += 1
            try:
                await asyncio.wait_for(self._closing.wait(), _PAUSE_SECONDS)
            except TimeoutError:
                continue
