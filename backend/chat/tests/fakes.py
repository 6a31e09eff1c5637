"""Fakes at the seams of the chat service, and a loopback server that speaks Bedrock's protocol."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chat.answers.check import Segment
from chat.answers.passages import Passage
from chat.boundary.guard import Source
from chat.chat_model import Completion, PromptPassage, Written
from chat.conversation_store import (
    ConversationGone,
    Kept,
    answer_id_of,
    parse_answer_id,
    partition_of,
)
from chat.models import Message
from chat.recording.keys import DataKey, new_key
from chat.recording.record import Release
from chat.recording.recorder import Recorder
from chat.retrieval import Retrieved
from chat.settings import Settings
from shared.answers import Feedback, Turn
from shared.errors import ServiceError

SAVE = "Save 10 percent of your income first."
SETTINGS = Settings(
    project_name="fin-advisor",
    environment="test",
    service_name="chat",
    api_gateway_url="http://gateway.test/dev",
    chat_model_id="fake-model",
    conversations_table="conversations",
    enable_service_api_keys=False,
)


def passage(number: int = 0, *, score: float = 0.8, text: str = SAVE, **more: Any) -> Passage:
    """Return a passage of the document `savings`."""
    fields = {"document_id": "savings", "passage_id": f"savings#{number}", "title": "Savings"}
    return Passage(**{**fields, "text": text, "score": score, **more})


class FakeRetriever:
    """Returns the given passages for every query; `asked` lists the queries."""

    def __init__(self, *passages: Passage, embedding_model: str | None = None) -> None:
        self.found = Retrieved(passages, embedding_model)
        self.asked: list[tuple[str, int, dict[str, Any] | None]] = []

    async def retrieve(
        self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
    ) -> Retrieved:
        self.asked.append((text, top_k, metadata_filter))
        return self.found


def beginnings(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Yield the segments as far as a model has written them, after each ten characters."""
    for index, segment in enumerate(segments):
        for end in range(10, len(segment.text), 10):
            yield [*segments[:index], Segment(segment.text[:end])]


class FakeModel:
    """Answers every prompt with the given segments; `given` lists the prompts.

    With `error`, it fails after it has written all of them.
    """

    model_id = "fake-model"

    def __init__(
        self,
        *segments: Segment | str,
        stop_reason: str = "end_turn",
        error: Exception | None = None,
    ) -> None:
        texts = segments or (f"{SAVE[:-1]} [savings#0].",)
        self.segments = tuple(Segment(one) if isinstance(one, str) else one for one in texts)
        self.stop_reason = stop_reason
        self.error = error
        self.given: list[tuple[str, Sequence[Message]]] = []

    async def complete(
        self,
        system: str,
        messages: Sequence[Message],
        *,
        passages: Sequence[PromptPassage] = (),
        written: Written | None = None,
    ) -> Completion:
        self.given.append((system, messages))
        if written is not None:
            for segments in beginnings(self.segments):
                await written(segments)
        if self.error:
            raise self.error
        return Completion(self.segments, self.stop_reason, 10, 5)

    @property
    def prompt(self) -> str:
        """The last message of the last prompt."""
        return self.given[-1][1][-1].content


class FakeConversations:
    """Conversations in memory. `failing` maps a method's name to the error that it raises."""

    def __init__(self, *, failing: dict[str, ServiceError] | None = None) -> None:
        self.kept: dict[str, list[Turn]] = {}
        self.owners: dict[str, str | None] = {}
        self.failing = failing or {}

    async def create(self, conversation_id: str, *, owner: str | None = None) -> None:
        self._fail("create")
        self.owners[partition_of(conversation_id)] = owner
        self.kept[partition_of(conversation_id)] = []

    async def read(
        self, conversation_id: str, *, limit: int, owner: str | None = None
    ) -> Kept | None:
        self._fail("read")
        turns = self._turns(partition_of(conversation_id), owner)
        return None if turns is None else Kept(turns[-limit:], len(turns), 2_000_000_000)

    async def append(
        self, conversation_id: str, turn: Turn, *, count: int, owner: str | None = None
    ) -> str:
        self._fail("append")
        partition = partition_of(conversation_id)
        if partition not in self.kept:
            raise ConversationGone
        turns = self.kept[partition]
        answer_id = answer_id_of(partition, len(turns) + 1)
        turns.append(turn.model_copy(update={"answer_id": answer_id}))
        return answer_id

    async def erase(self, conversation_id: str, *, owner: str | None = None) -> bool:
        self._fail("erase")
        if self._turns(partition_of(conversation_id), owner) is None:
            return False
        del self.kept[partition_of(conversation_id)]
        return True

    async def rate(self, answer_id: str, feedback: Feedback, *, owner: str | None = None) -> bool:
        self._fail("rate")
        partition, number = parse_answer_id(answer_id) or ("", 0)
        turns = self._turns(partition, owner) or []
        if not 0 < number <= len(turns):
            return False
        turns[number - 1] = turns[number - 1].model_copy(update={"feedback": feedback})
        return True

    def _turns(self, partition: str, owner: str | None) -> list[Turn] | None:
        return self.kept.get(partition) if self.owners.get(partition) == owner else None

    def _fail(self, method: str) -> None:
        if method in self.failing:
            raise self.failing[method]


class FakeRecords:
    """Records in memory. `failing` is raised by the next call and, if `stored`, after storing."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failing: Exception | None = None
        self.stored = False

    async def put(self, key: str, data: bytes) -> None:
        error, self.failing = self.failing, None
        if error is None or self.stored:
            self.objects.setdefault(key, data)
        if error is not None:
            raise error


class FakeRecordKeys:
    """Data keys in memory."""

    def __init__(self, *, failing: ServiceError | None = None) -> None:
        self.kept: dict[str, DataKey] = {}
        self.failing = failing

    async def keys(self, owners: Sequence[str]) -> Mapping[str, DataKey]:
        if self.failing:
            raise self.failing
        return {owner: self.kept.setdefault(owner, new_key()) for owner in owners}


def recorder_into(records: FakeRecords, *, required: bool = False) -> Recorder:
    """Return a recorder that keeps its records in memory."""
    return Recorder(
        records,
        FakeRecordKeys(),
        Release("v7", {}, {}),
        required=required,
        now=lambda: datetime(2026, 11, 28, tzinfo=UTC),
    )


class FakeGuard:
    """Refuses the texts that contain a word, and keeps what it was asked."""

    def __init__(self, word: str = "", *, error: ServiceError | None = None) -> None:
        self.word = word
        self.error = error
        self.asked: list[tuple[str, Source]] = []

    async def refuses(self, text: str, source: Source) -> str | None:
        self.asked.append((text, source))
        if self.error:
            raise self.error
        return "Topic" if self.word and self.word in text else None


class BedrockServer:
    """Answers Converse and ApplyGuardrail with prepared answers in turn; the last one repeats.

    An answer is a status and a body. With a status of 0, the server does not answer.
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

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
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


def converse_answer(
    *content: str | dict[str, Any], stop_reason: str = "end_turn", read: int = 12, wrote: int = 3
) -> dict[str, Any]:
    """Return an answer of the Converse API with these texts and other content blocks."""
    blocks = [{"text": item} if isinstance(item, str) else item for item in content]
    return {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": read, "outputTokens": wrote, "totalTokens": read + wrote},
        "metrics": {"latencyMs": 1},
    }
