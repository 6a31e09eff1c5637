"""A second judge of questions and answers, such as a guardrail of Amazon Bedrock."""

import asyncio
from typing import Any, Final, Literal, Protocol

from shared.aws.clients import aws_client, aws_errors
from shared.errors import BadDependency
from shared.request import deadline
from shared.tracing import span

Source = Literal["question", "answer"]

_TIMEOUT_SECONDS: Final = 5.0
_MAX_CHARACTERS: Final = 25_000
# Where an assessment of ApplyGuardrail lists what it found, and the field that names it.
_FINDINGS: Final = (
    ("topicPolicy", "topics", "name"),
    ("contentPolicy", "filters", "type"),
    ("wordPolicy", "customWords", "match"),
    ("wordPolicy", "managedWordLists", "type"),
    ("sensitiveInformationPolicy", "piiEntities", "type"),
    ("sensitiveInformationPolicy", "regexes", "name"),
    ("contextualGroundingPolicy", "filters", "type"),
)


class Guard(Protocol):
    """Judges a text in addition to the rules of the policy.

    A guard that cannot judge raises `ServiceError`: then no answer is given.
    """

    async def refuses(self, text: str, source: Source) -> str | None:
        """Return the name of the policy that refuses the text, or None if none does."""


class BedrockGuardrail:
    """A guardrail of Amazon Bedrock, called with `ApplyGuardrail`.

    Args:
        guardrail_id: The id or ARN.
        version: A number, or `DRAFT`.
        region: Where Bedrock is called.
    """

    def __init__(self, guardrail_id: str, version: str, *, region: str) -> None:
        self._id = guardrail_id
        self._version = version
        self._region = region

    async def refuses(self, text: str, source: Source) -> str | None:
        """Return the topic, filter or word list that intervened, or None.

        Raises:
            Unavailable: Bedrock throttles or fails, still after boto3's retries.
            DeadlineExceeded: The request's time is used up.
            BadDependency: Bedrock refuses, or answers something else.
        """
        with span(f"guardrail {source}") as traced:
            answer = await deadline.in_time(
                asyncio.to_thread(self._apply, text, source),
                "The guardrail did not answer in time; try again.",
            )
            action = answer.get("action")
            traced.set_attribute("guardrail.action", str(action))
            if action == "NONE":
                return None
            if action != "GUARDRAIL_INTERVENED":
                raise BadDependency("The guardrail's answer has an unknown shape.")
            return _found(answer)

    def _apply(self, text: str, source: Source) -> dict[str, Any]:
        client = aws_client(
            "bedrock-runtime", region=self._region, read_timeout_seconds=_TIMEOUT_SECONDS
        )
        with aws_errors(f"apply the guardrail {self._id}"):
            answer: dict[str, Any] = client.apply_guardrail(
                guardrailIdentifier=self._id,
                guardrailVersion=self._version,
                source="INPUT" if source == "question" else "OUTPUT",
                content=[
                    {"text": {"text": text[start : start + _MAX_CHARACTERS]}}
                    for start in range(0, len(text), _MAX_CHARACTERS)
                ],
            )
        return answer


def _found(answer: dict[str, Any]) -> str:
    """Return the name of the first finding that was acted on."""
    for assessment in answer.get("assessments") or []:
        for policy, findings, name in _FINDINGS:
            for one in (assessment.get(policy) or {}).get(findings) or []:
                if one.get("action", "NONE") != "NONE":
                    return str(one.get(name, policy))
    return "intervened"
