"""The events of Bedrock's ConverseStream, assembled into the answer that Converse gives."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Unavailable

type StreamEvent = Mapping[str, Any]


@dataclass(slots=True)
class _Block:
    text: str = ""
    citations: list[Any] = field(default_factory=list)
    is_complete: bool = False

    def content(self) -> dict[str, Any]:
        if self.citations:
            cited = {"content": [{"text": self.text}], "citations": self.citations}
            return {"citationsContent": cited}
        return {"text": self.text}


class StreamedAnswer:
    """The answer of a stream, as far as its events have come.

    Args:
        cites: Whether Bedrock cites: the citations of a block come after its text.
    """

    def __init__(self, *, cites: bool) -> None:
        self._cites = cites
        self._blocks: dict[int, _Block] = {}
        self._stop_reason: str | None = None
        self._usage: Mapping[str, Any] = {}

    def add(self, event: StreamEvent) -> None:
        """Add the next event."""
        if delta := event.get("contentBlockDelta"):
            block = self._blocks.setdefault(delta["contentBlockIndex"], _Block())
            block.text += delta["delta"].get("text", "")
            if "citation" in delta["delta"]:
                block.citations.append(delta["delta"]["citation"])
        elif stop := event.get("contentBlockStop"):
            self._blocks.setdefault(stop["contentBlockIndex"], _Block()).is_complete = True
        elif "messageStop" in event:
            self._stop_reason = event["messageStop"].get("stopReason")
        elif "metadata" in event:
            self._usage = event["metadata"].get("usage", {})

    def beginning(self) -> dict[str, Any]:
        """Return the part of the answer that later events only add to."""
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        if self._cites:
            # Blocks are joined in another way once one of them has a citation.
            whole = [block for block in blocks if block.is_complete]
            blocks = whole if any(block.citations for block in whole) else []
        return _answer(blocks)

    def whole(self) -> dict[str, Any]:
        """Return the answer.

        Raises:
            Unavailable: The stream ended before the answer did.
        """
        if self._stop_reason is None:
            raise _broken()
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        return {**_answer(blocks), "stopReason": self._stop_reason, "usage": self._usage}


def read_stream(stream: Iterable[StreamEvent], take: Callable[[StreamEvent], bool]) -> None:
    """Read a stream of events until its end, or until `take` returns False.

    Raises:
        Unavailable: The connection or the model failed in the middle of the answer.
    """
    try:
        for event in stream:
            if not take(event):
                return
    except Exception as error:
        # botocore passes on the errors of urllib3 here.
        raise _broken() from error


def _answer(blocks: Iterable[_Block]) -> dict[str, Any]:
    return {"output": {"message": {"content": [block.content() for block in blocks]}}}


def _broken() -> Unavailable:
    return Unavailable("The model's answer broke off in the middle; try again.", retry_after=2)
