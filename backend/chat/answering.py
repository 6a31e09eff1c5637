"""Answers a question: retrieve passages, ask the model, keep the sentences that they prove."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from chat import follow_up
from chat.answers import check, checked_answer
from chat.answers.check import Segment
from chat.answers.passages import Passage
from chat.answers.settling import last_paragraph
from chat.boundary.advice import AdviceBoundary, Verdict
from chat.chat_model import ChatModel, Completion, PromptPassage, Written
from chat.greeting import greeting
from chat.history import Exchange, trimmed
from chat.progress import Progress
from chat.prompt import system_prompt, user_turn
from chat.recording.evidence import Evidence
from chat.relevance import Relevance, RelevanceGate
from chat.retrieval import Retriever, best_of
from shared.answers import CheckedAnswer, Citation, Removed, Span, Usage
from shared.logging import get_logger
from shared.telemetry.metrics import measure
from shared.tracing import span

_log = get_logger(__name__)

NOTHING_FOUND: Final = (
    "I don't know: nothing in the documents answers this question. "
    "Try other words, or add documents about it."
)
NOTHING_PROVEN: Final = (
    "I don't know: an answer was written, but the documents do not prove any of it. "
    "Ask more precisely, or add documents about it."
)


class Answerer:
    """Answers questions from retrieved passages.

    Args:
        retriever: Finds passages.
        model: Writes the answer.
        gate: Decides whether the passages are relevant to the question.
        boundary: Decides whether the question may be answered.
        disclosure: The sentence that says that an AI wrote the answer.
        history_tokens: The most tokens of the prompt that earlier turns may use.
        today: Returns the date that the prompt states.
    """

    def __init__(
        self,
        retriever: Retriever,
        model: ChatModel,
        *,
        gate: RelevanceGate,
        boundary: AdviceBoundary,
        disclosure: str,
        history_tokens: int,
        today: Callable[[], date],
    ) -> None:
        self._retriever = retriever
        self._model = model
        self._gate = gate
        self._boundary = boundary
        self._disclosure = disclosure
        self._history_tokens = history_tokens
        self._today = today

    async def answer(
        self,
        question: str,
        history: Sequence[Exchange],
        *,
        top_k: int,
        metadata_filter: dict[str, Any] | None,
        evidence: Evidence | None = None,
        progress: Progress | None = None,
    ) -> CheckedAnswer:
        """Return the checked answer to a question after earlier turns.

        Fills `evidence` with the inputs of the answer. With `progress`, the model streams, and the
        parts of its answer are sent as they are settled.
        """
        evidence = Evidence() if evidence is None else evidence
        if reply := greeting(question):
            return self._answer_without_model(reply, "answered", self._boundary.information())
        verdict = await self._boundary.judge(question)
        if verdict.reply is not None:
            return self._answer_without_model(verdict.reply, "refused", verdict)
        asked = [turn.question for turn in history if greeting(turn.question) is None]
        texts = follow_up.search_texts([*asked, question])
        if progress is not None:
            await progress.status("searching")
        passages, relevance = await self._retrieve(texts, top_k, metadata_filter, evidence)
        if relevance in {None, "irrelevant"}:
            unknown = self._answer_without_model(
                NOTHING_FOUND, "unknown", verdict, relevance=relevance
            )
            return await self._boundary.apply(verdict, unknown)
        written = None
        if progress is not None:
            await progress.passages(passages)
            await progress.status("writing")
            written = self._early(progress, texts[0], passages, verdict)
        completion = await self._complete(
            question, history, passages, verdict, evidence, written=written
        )
        with span("check"):
            # The first text includes the earlier questions that this one refers to: figures in them
            # come from the user as well.
            checked = check.check(
                completion.segments,
                passages,
                question=texts[0],
                stop_reason=completion.stop_reason,
                recommends=self._boundary.recommends,
            )
        answer = await self._boundary.apply(verdict, self._response(checked, completion, relevance))
        if progress is not None:
            progress.answered(answer, checked, self._boundary.opening(verdict))
        _log.info(
            "answered",
            status=answer.status,
            **verdict.log_fields,
            stop_reason=completion.stop_reason,
            relevance=relevance,
            passages=len(passages),
            citations=len(checked.citations),
            removed=[one.reason.value for one in checked.removed],
            top_score=round(max(one.score for one in passages), 4),
            input_tokens=completion.input_tokens,
            output_tokens=completion.output_tokens,
        )
        return answer

    async def _retrieve(
        self,
        texts: Sequence[str],
        top_k: int,
        metadata_filter: dict[str, Any] | None,
        evidence: Evidence,
    ) -> tuple[tuple[Passage, ...], Relevance | None]:
        with span("retrieve") as traced:
            searches = (
                self._retriever.retrieve(text, top_k=top_k, metadata_filter=metadata_filter)
                for text in texts
            )
            found = best_of(await asyncio.gather(*searches), top_k=top_k)
            traced.set_attribute("retrieval.searches", len(texts))
            evidence.retrieved = found
            relevance = self._gate.judge(found.closest, found.embedding_model)
            traced.set_attribute("retrieval.passages", len(found.passages))
            traced.set_attribute("retrieval.relevance", relevance or "nothing")
            if found.closest is not None:
                traced.set_attribute("retrieval.best_score", found.closest)
                measure("RetrievalScore", found.closest)
            return found.passages, relevance

    async def _complete(
        self,
        question: str,
        history: Sequence[Exchange],
        passages: Sequence[Passage],
        verdict: Verdict,
        evidence: Evidence,
        *,
        written: Written | None,
    ) -> Completion:
        earlier = trimmed(history, tokens=self._history_tokens)
        evidence.today = self._today()
        turn = user_turn(question, earlier, passages)
        evidence.system = system_prompt(evidence.today, general_only=verdict.is_recommendation)
        evidence.prompt = turn.content
        evidence.completion = await self._model.complete(
            evidence.system,
            [turn],
            passages=[PromptPassage(one.passage_id, one.title, one.text) for one in passages],
            written=written,
        )
        return evidence.completion

    def _early(
        self, progress: Progress, question: str, passages: Sequence[Passage], verdict: Verdict
    ) -> Written | None:
        """Return what checks a completion while the model writes it, at each new paragraph."""
        progress.holds_units = progress.holds_units or self._boundary.judges_whole_answers
        if progress.holds_units:
            return None
        opening = self._boundary.opening(verdict)
        begun = 0

        async def check_beginning(segments: Sequence[Segment]) -> None:
            nonlocal begun
            paragraph = last_paragraph("".join(one.text for one in segments))
            if paragraph <= begun:
                return
            begun = paragraph
            checked = check.check_beginning(
                segments, passages, question=question, recommends=self._boundary.recommends
            )
            await progress.settled(checked, opening)

        return check_beginning

    def _answer_without_model(
        self, text: str, status: Any, verdict: Verdict, *, relevance: Relevance | None = None
    ) -> CheckedAnswer:
        _log.info("answered", status=status, relevance=relevance, passages=0, **verdict.log_fields)
        return CheckedAnswer(
            answer=text,
            status=status,
            relevance=relevance,
            disclosure=self._disclosure,
            boundary=verdict.boundary,
        )

    def _response(
        self,
        checked: checked_answer.CheckedAnswer,
        completion: Completion,
        relevance: Relevance | None,
    ) -> CheckedAnswer:
        return CheckedAnswer(
            answer=checked.answer or NOTHING_PROVEN,
            status=checked.status,
            stop_reason=completion.stop_reason,
            citations=[Citation.model_validate(asdict(one)) for one in checked.citations],
            removed=[
                Removed(sentence=one.text, reason=one.reason.value) for one in checked.removed
            ],
            question_figures=[
                Span(start=one.start, end=one.end) for one in checked.question_figures
            ],
            relevance=relevance,
            disclosure=self._disclosure,
            usage=Usage(
                input_tokens=completion.input_tokens, output_tokens=completion.output_tokens
            ),
            model_id=self._model.model_id,
        )
