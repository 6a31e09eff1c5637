"""Applies the policy to one question and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat.boundary.guard import Guard, Source
from chat.boundary.policy import Policy
from chat.boundary.rules import Rules
from shared.answers import Boundary, CheckedAnswer


@dataclass(frozen=True, slots=True)
class Verdict:
    """The category of a question, and the reply if no documents are searched.

    Attributes:
        reply: The complete answer; None if the documents are searched.
    """

    boundary: Boundary
    reply: str | None = None

    @property
    def is_recommendation(self) -> bool:
        """Whether only general information may be given."""
        return self.boundary.category == "recommendation"

    @property
    def log_fields(self) -> Mapping[str, Any]:
        """The fields for a log line."""
        return {"boundary": self.boundary.category, "rule": self.boundary.rule}


class AdviceBoundary:
    """Keeps answers to information, without personal advice.

    Args:
        policy: The rules and texts.
        country: The country whose help lines are given, such as `US`; none by default.
        guard: A second judge, called if no rule has refused.
    """

    def __init__(
        self, policy: Policy, *, country: str | None = None, guard: Guard | None = None
    ) -> None:
        self._policy = policy
        self._rules = Rules(policy)
        self._country = country
        self._guard = guard

    def information(self) -> Verdict:
        """Return the verdict on a question that no rule has to judge, such as a greeting."""
        return Verdict(Boundary(category="information", policy_version=self._policy.version))

    async def judge(self, question: str) -> Verdict:
        """Return the category of a question, and a reply if it is refused.

        Raises:
            ServiceError: The guard cannot judge. Distress and fraud are answered without it.
        """
        category, rule = self._rules.judge(question)
        boundary = Boundary(category=category, rule=rule, policy_version=self._policy.version)
        if category == "distress":
            return Verdict(boundary, self._with_help(self._policy.texts.distress, boundary))
        if category == "fraud":
            return Verdict(boundary, self._with_help(self._policy.texts.fraud, boundary))
        if refusal := await self._refusal(question, "question"):
            refused = boundary.model_copy(update={"rule": refusal})
            return Verdict(refused, self._policy.texts.guardrail_refused)
        return Verdict(boundary)

    @property
    def judges_whole_answers(self) -> bool:
        """Whether a guard judges an answer, so that no part of it may be sent before."""
        return self._guard is not None

    def opening(self, verdict: Verdict) -> str:
        """Return the text that `apply` puts before the answer to a question, if it answers it."""
        return f"{self._policy.texts.recommendation_first}\n\n" if verdict.is_recommendation else ""

    def recommends(self, sentence: str) -> bool:
        """Whether a sentence of an answer recommends something to the reader personally."""
        return self._rules.recommends(sentence)

    async def apply(self, verdict: Verdict, answer: CheckedAnswer) -> CheckedAnswer:
        """Return the answer with the policy's texts around it, or a refusal instead of it.

        Raises:
            ServiceError: The guard cannot judge.
        """
        marked = answer.model_copy(update={"boundary": verdict.boundary})
        if answer.model_id and (refusal := await self._refusal(answer.answer, "answer")):
            boundary = verdict.boundary.model_copy(update={"rule": refusal})
            return _refused(marked, self._policy.texts.guardrail_refused, boundary)
        if not verdict.is_recommendation:
            return marked
        texts, boundary = self._policy.texts, verdict.boundary
        if answer.status == "unknown":
            text = self._with_help(texts.recommendation_refused, boundary)
            return _refused(marked, text, boundary)
        last = self._with_help(texts.recommendation_last, boundary)
        return _framed(marked, self.opening(verdict), f"\n\n{last}")

    async def _refusal(self, text: str, source: Source) -> str | None:
        name = await self._guard.refuses(text, source) if self._guard else None
        return f"guardrail/{name}" if name else None

    def _with_help(self, text: str, boundary: Boundary) -> str:
        lines = self._policy.help_lines(boundary.category, self._country)
        return "\n".join([f"{text}\n", *(f"- {line}" for line in lines)]) if lines else text


def _refused(answer: CheckedAnswer, text: str, boundary: Boundary) -> CheckedAnswer:
    return answer.model_copy(
        update={
            "answer": text,
            "status": "refused",
            "citations": [],
            "question_figures": [],
            "boundary": boundary,
        }
    )


def _framed(answer: CheckedAnswer, first: str, last: str) -> CheckedAnswer:
    """Put the policy's texts around an answer; its spans move by the length of the first."""

    def moved(spans: Any) -> list[Any]:
        by = len(first)
        return [
            one.model_copy(update={"start": one.start + by, "end": one.end + by}) for one in spans
        ]

    return answer.model_copy(
        update={
            "answer": f"{first}{answer.answer}{last}",
            "status": "partial" if answer.status == "answered" else answer.status,
            "citations": [
                one.model_copy(update={"spans": moved(one.spans)}) for one in answer.citations
            ],
            "question_figures": moved(answer.question_figures),
        }
    )
