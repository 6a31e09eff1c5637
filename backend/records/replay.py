"""Rebuilds an answer from its record, with the code of this release."""

import difflib
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import orjson

from chat.answering import Answerer
from chat.boundary.advice import AdviceBoundary
from chat.boundary.policy import Policy, built_in_policy
from chat.chat_model import Completion
from chat.history import Exchange
from chat.models import Message
from chat.recording.record import prompt_hash
from chat.relevance import RelevanceGate
from chat.retrieval import Retrieved
from records.opened import Record
from shared.answers import CheckedAnswer


class Unreadable(Exception):
    """The record's texts cannot be decrypted, so nothing can be rebuilt."""


class Replayed(NamedTuple):
    """The answer of the record and the one that this release gives, each as JSON."""

    recorded: bytes
    rebuilt: bytes
    same_prompt: bool

    @property
    def is_same(self) -> bool:
        return self.recorded == self.rebuilt and self.same_prompt

    def difference(self) -> list[str]:
        """Return the lines that differ."""
        return list(
            difflib.unified_diff(
                _lines(self.recorded), _lines(self.rebuilt), "recorded", "rebuilt", lineterm="", n=0
            )
        )


async def replay(record: Record, policy: Policy | None = None) -> Replayed:
    """Return the recorded answer and the rebuilt one.

    Passages and completion come from the record; everything else is computed again. A verdict
    of a guardrail is not: such an answer differs. `policy` is the boundary's, by default this
    release's own.

    Raises:
        Unreadable: A key is missing.
    """
    if missing := record.unreadable:
        raise Unreadable(f"There is no key of {', '.join(missing)}.")
    assert record.texts is not None  # noqa: S101 - no key is missing
    policy = policy or built_in_policy()
    texts, answering = record.texts, record.fields["answering"]
    model = _RecordedModel(record)
    prompt = texts["prompt"]
    answerer = Answerer(
        _RecordedRetriever(
            Retrieved(record.passages(), texts["embedding_model"], texts.get("best_score"))
        ),
        model,
        gate=RelevanceGate(answering["relevance_threshold"]),
        boundary=AdviceBoundary(policy, country=answering["support_country"]),
        disclosure=answering["disclosure"],
        history_tokens=answering["history_tokens"],
        today=lambda: date.fromisoformat(prompt["today"]),
    )
    rebuilt = await answerer.answer(
        texts["question"],
        [Exchange(**one) for one in texts["history"]],
        top_k=texts["top_k"],
        metadata_filter=texts["filter"],
    )
    recorded = CheckedAnswer.model_validate(record.answer())
    return Replayed(_content(recorded), _content(rebuilt), model.same_prompt)


def _content(answer: CheckedAnswer) -> bytes:
    return orjson.dumps(answer.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def _lines(content: bytes) -> list[str]:
    pretty = orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2)
    return pretty.decode().splitlines()


class _RecordedRetriever:
    def __init__(self, found: Retrieved) -> None:
        self._found = found

    async def retrieve(self, text: str, **_: Any) -> Retrieved:  # noqa: ARG002 - a Retriever
        return self._found


class _RecordedModel:
    """Returns the recorded completion, and compares the prompt with the recorded one."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.model_id = str((record.fields["model"] or {}).get("id"))
        # If the model was not asked when the record was written, it must not be asked now.
        self.same_prompt = record.completion() is None

    async def complete(self, system: str, messages: Sequence[Message], **_: Any) -> Completion:
        completion = self._record.completion()
        if completion is None:
            self.same_prompt = False
            return Completion((), "end_turn", 0, 0)
        prompt = (self._record.texts or {})["prompt"]
        self.same_prompt = prompt["sha256"] == prompt_hash(system, messages[-1].content)
        return completion
