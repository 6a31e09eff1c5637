"""Requests to Bedrock's Converse API, and the parsing of its answers."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from chat.answers.check import Segment
from chat.chat_model import Completion, PromptPassage, UnusableCompletion
from chat.documents import (
    Groups,
    cited_passages,
    document_blocks,
    grouped,
    without_passages,
)
from chat.models import Message

# Why an answer has no text, by Bedrock's stop reason.
_EMPTY_ANSWER_REASONS: Final = {
    "max_tokens": "it used all its output tokens before it wrote any; raise CHAT_MAX_OUTPUT_TOKENS",
    "content_filtered": "Bedrock's content filter removed the answer",
    "guardrail_intervened": "a guardrail blocked the question or the answer",
    "model_context_window_exceeded": "the conversation fills the model's context window",
    "malformed_model_output": "its output was malformed; try again",
    "malformed_tool_use": "it tried to call a tool, but this service offers none; try again",
    "tool_use": "it tried to call a tool, but this service offers none; try again",
}


@dataclass(frozen=True)
class ModelOptions:
    """Parameters of a request. A model may refuse all but `max_output_tokens`.

    Attributes:
        max_output_tokens: The limit on the answer and the model's thinking together.
        temperature: With 0, answers to the same prompt differ least.
        fields: Converse's `additionalModelRequestFields`: parameters that only some models have.
        native_citations: Send passages as documents and let Bedrock create the citations.
    """

    max_output_tokens: int
    temperature: float | None = None
    fields: Mapping[str, Any] | None = None
    native_citations: bool = False

    def optional_names(self) -> dict[str, tuple[str, ...]]:
        """Return each optional parameter in use, with its possible names in a refusal."""
        names: dict[str, tuple[str, ...]] = {}
        if self.temperature is not None:
            names["temperature"] = ("temperature",)
        if self.fields:
            names["fields"] = ("additionalModelRequestFields", *self.fields)
        if self.native_citations:
            names["citations"] = ("citation", "citations", "document", "documents")
        return names


class ConverseRequest:
    """A request to Converse, without the optional parameters that the model has refused."""

    def __init__(
        self,
        options: ModelOptions,
        refused: Set[str],
        system: str,
        messages: Sequence[Message],
        passages: Sequence[PromptPassage],
    ) -> None:
        native = options.native_citations and "citations" not in refused
        self._groups: Groups = grouped(passages) if native else ()
        self.optional = {
            name: names
            for name, names in options.optional_names().items()
            if name not in refused and (name != "citations" or self._groups)
        }
        inference: dict[str, Any] = {"maxTokens": options.max_output_tokens}
        if "temperature" in self.optional:
            inference["temperature"] = options.temperature
        self.arguments: dict[str, Any] = {
            "system": [{"text": system}],
            "messages": [
                {"role": turn.role, "content": [{"text": turn.content}]} for turn in messages
            ],
            "inferenceConfig": inference,
        }
        if "fields" in self.optional:
            self.arguments["additionalModelRequestFields"] = dict(options.fields or {})
        if self._groups:
            question = without_passages(messages[-1].content)
            self.arguments["messages"][-1]["content"] = [
                *document_blocks(self._groups),
                {"text": question},
            ]

    @property
    def cites(self) -> bool:
        """Whether Bedrock is asked for citations."""
        return bool(self._groups)

    def segments(self, answer: Mapping[str, Any]) -> tuple[Segment, ...]:
        """Return the segments of an answer, which may be empty."""
        blocks = answer.get("output", {}).get("message", {}).get("content", [])
        return _stripped(_segments(blocks, self._groups))

    def completion(self, answer: Mapping[str, Any]) -> Completion:
        """Return what the model wrote.

        Raises:
            UnusableCompletion: It wrote no text.
        """
        stop_reason = str(answer.get("stopReason") or "unknown")
        segments = self.segments(answer)
        if not segments:
            why = _EMPTY_ANSWER_REASONS.get(stop_reason, f"its stop reason is {stop_reason}")
            raise UnusableCompletion(f"The model wrote no answer: {why}.", stop_reason)
        return Completion(segments, stop_reason, *used_tokens(answer))


def used_tokens(answer: Mapping[str, Any]) -> tuple[int, int]:
    """Return the tokens that the model read and wrote, its thinking included."""
    usage = answer.get("usage", {})
    return int(usage.get("inputTokens", 0)), int(usage.get("outputTokens", 0))


def _segments(blocks: Sequence[Mapping[str, Any]], groups: Groups) -> list[Segment]:
    # Other blocks are not part of the answer: `reasoningContent` is the model's thinking.
    segments = []
    for block in blocks:
        if cited := block.get("citationsContent"):
            text = "".join(part.get("text", "") for part in cited.get("content", []))
            segments.append(Segment(text, cited_passages(cited.get("citations", []), groups)))
        elif block.get("text"):
            segments.append(Segment(block["text"]))
    # With citations, Bedrock splits one text into blocks. Without, each block is a paragraph.
    if not any("citationsContent" in block for block in blocks):
        segments = [
            Segment(segment.text + ("" if segment is segments[-1] else "\n"))
            for segment in segments
        ]
    return segments


def _stripped(segments: list[Segment]) -> tuple[Segment, ...]:
    while segments and not segments[0].text.strip():
        del segments[0]
    while segments and not segments[-1].text.strip():
        del segments[-1]
    if segments:
        segments[0] = Segment(segments[0].text.lstrip(), segments[0].passage_ids)
        segments[-1] = Segment(segments[-1].text.rstrip(), segments[-1].passage_ids)
    return tuple(segments)
