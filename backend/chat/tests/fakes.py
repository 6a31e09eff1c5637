"""Fakes at the seams of the chat service, and a loopback server that speaks Bedrock's protocol."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chat.chat_model import Completion, PromptPassage, Segment
from chat.models import Message
from chat.retrieval import Passage


def passage(number: int = 0, *, score: float = 0.8, text: str = "Save first.") -> Passage:
    """Return a passage of the document `savings`."""
    return Passage(
        document_id="savings",
        passage_id=f"savings#{number}",
        title="Savings",
        text=text,
        score=score,
    )


class FakeRetriever:
    """Returns what it was made with, and keeps what it was asked."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages
        self.asked: list[tuple[str, int, dict[str, Any] | None]] = []

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Sequence[Passage]:
        self.asked.append((text, top_k, metadata_filter))
        return self.passages


class FakeModel:
    """Writes what it was made with, and keeps what it was given."""

    model_id = "fake-model"

    def __init__(self, text: str = "Save first [savings#0].") -> None:
        self.text = text
        self.given: list[tuple[str, Sequence[Message]]] = []

    async def complete(
        self,
        system: str,
        messages: Sequence[Message],
        *,
        passages: Sequence[PromptPassage] = (),
    ) -> Completion:
        self.given.append((system, messages))
        return Completion((Segment(self.text),), "end_turn", 10, 5)


class BedrockServer:
    """Answers Converse with prepared answers, the last of them for ever.

    Each is a status and a body; a status of 0 never answers.
    """

    def __init__(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.url = ""

    def next(self) -> tuple[int, dict[str, Any]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def bedrock(*answers: tuple[int, dict[str, Any]]) -> Iterator[BedrockServer]:
    """Run a Bedrock that gives these answers, on a free port."""
    state = BedrockServer(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            state.requests.append({"path": self.path, "body": json.loads(body)})
            status, answer = state.next()
            if status == 0:
                state.released.wait(30)
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            if status != 200:
                self.send_header("x-amzn-errortype", str(answer["__type"]))
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def written(
    *content: str | dict[str, Any], stop_reason: str = "end_turn", read: int = 12, wrote: int = 3
) -> dict[str, Any]:
    """Return Converse's answer with these texts and other content blocks."""
    blocks = [{"text": item} if isinstance(item, str) else item for item in content]
    return {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": read, "outputTokens": wrote, "totalTokens": read + wrote},
        "metrics": {"latencyMs": 1},
    }
