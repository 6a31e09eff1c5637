"""The language model, behind Bedrock's Converse API."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from chat.models import Message
from shared.aws.clients import aws_client, aws_errors
from shared.errors import BadDependency
from shared.request import deadline
from shared.telemetry.metrics import measure
from shared.tracing import span

MODEL_TIMEOUT_SECONDS = 20.0


class Completion(NamedTuple):
    """What a model wrote, and the tokens it took."""

    text: str
    input_tokens: int
    output_tokens: int


class ChatModel(Protocol):
    """Completes a conversation."""

    @property
    def model_id(self) -> str:
        """The name of the model."""

    async def complete(self, system: str, messages: Sequence[Message]) -> Completion:
        """Return the assistant's next turn."""


class BedrockModel:
    """A model on Bedrock.

    Args:
        model_id: A model or inference profile.
        region: Where Bedrock is called.
        max_output_tokens: The longest answer.
        temperature: 0 is the most repeatable.
    """

    def __init__(
        self, model_id: str, *, region: str, max_output_tokens: int, temperature: float
    ) -> None:
        self._model_id = model_id
        self._region = region
        self._inference = {"maxTokens": max_output_tokens, "temperature": temperature}

    @property
    def model_id(self) -> str:
        """The name of the model."""
        return self._model_id

    async def complete(self, system: str, messages: Sequence[Message]) -> Completion:
        """Return the assistant's next turn.

        Raises:
            Unavailable: Bedrock throttles or fails, still after boto3's retries.
            DeadlineExceeded: The request's time is used up.
            BadDependency: Bedrock refuses, or the model wrote nothing.
        """
        # OpenTelemetry's conventions for generative AI; the text itself is never recorded.
        with span(
            f"chat {self._model_id}",
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.model": self._model_id,
                "gen_ai.request.max_tokens": self._inference["maxTokens"],
                "gen_ai.request.temperature": self._inference["temperature"],
            },
        ) as traced:
            answer = await self._converse(system, messages)
            completion = _completion(answer)
            traced.set_attribute("gen_ai.usage.input_tokens", completion.input_tokens)
            traced.set_attribute("gen_ai.usage.output_tokens", completion.output_tokens)
            measure("InputTokens", completion.input_tokens)
            measure("OutputTokens", completion.output_tokens)
            return completion

    async def _converse(self, system: str, messages: Sequence[Message]) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            client = aws_client(
                "bedrock-runtime", region=self._region, read_timeout_seconds=MODEL_TIMEOUT_SECONDS
            )
            with aws_errors(f"ask the model {self._model_id}"):
                answer: dict[str, Any] = client.converse(
                    modelId=self._model_id,
                    system=[{"text": system}],
                    messages=[
                        {"role": turn.role, "content": [{"text": turn.content}]}
                        for turn in messages
                    ],
                    inferenceConfig=self._inference,
                )
            return answer

        # boto3's own bounds are for each attempt; this one is for all of them.
        return await deadline.in_time(
            asyncio.to_thread(call),
            f"The model {self._model_id} did not answer in time; ask something shorter or try "
            "again.",
        )


def _completion(answer: dict[str, Any]) -> Completion:
    blocks = answer.get("output", {}).get("message", {}).get("content", [])
    text = "\n".join(block["text"] for block in blocks if block.get("text")).strip()
    if not text:
        reason = answer.get("stopReason", "no reason given")
        raise BadDependency(f"The model wrote no text ({reason}).")
    usage = answer.get("usage", {})
    return Completion(text, int(usage.get("inputTokens", 0)), int(usage.get("outputTokens", 0)))
