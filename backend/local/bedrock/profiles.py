"""How families of models behave behind Converse: what they refuse, and whether they think and cite.

The messages are those of Bedrock.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_EXTRANEOUS_KEY = (
    "Malformed input request: #: extraneous key [{key}] is not permitted, please reformat your "
    "input and try again."
)
_DEPRECATED = "The model returned the following errors: `{name}` is deprecated for this model."
_INFERENCE_PROFILE = re.compile(r"(?:us|eu|apac|jp|au|us-gov|global)\.")


@dataclass(frozen=True, slots=True)
class Profile:
    """A family of models.

    Attributes:
        model_ids: Matches the ids of its foundation models.
        refused: The error message by parameter of `inferenceConfig` that it refuses.
        fields: The `additionalModelRequestFields` that it accepts.
        thinks: Whether a `reasoningContent` block precedes the answer.
        signs: Whether its thinking has a signature.
        refused_documents: The message for document blocks; None if it reads and cites them.
        refused_prefill: The message for a conversation that ends with the assistant's turn.
        lifecycle: `modelLifecycle` of GetFoundationModel.
    """

    name: str
    model_ids: re.Pattern[str]
    refused: Mapping[str, str]
    fields: frozenset[str] = frozenset()
    thinks: bool = False
    signs: bool = False
    refused_documents: str | None = None
    refused_prefill: str = "A conversation must end with a user message."
    lifecycle: str = "ACTIVE"

    def refusal(self, content: Mapping[str, Any]) -> str | None:
        """The message of the ValidationException for a Converse request; None if it is accepted."""
        inference = content.get("inferenceConfig", {})
        for name, message in self.refused.items():
            if name in inference:
                return message
        for key in content.get("additionalModelRequestFields") or {}:
            if key not in self.fields:
                return _EXTRANEOUS_KEY.format(key=key)
        return None


CURRENT_CLAUDE = Profile(
    "current Claude",
    re.compile(r"anthropic\.claude-(?:opus-4-[78]|[a-z]+-[5-9])"),
    refused={
        "temperature": _DEPRECATED.format(name="temperature"),
        "topP": _DEPRECATED.format(name="top_p"),
    },
    fields=frozenset({"output_config", "thinking"}),
    thinks=True,
    signs=True,
    refused_prefill=(
        "The model returned the following errors: This model does not support assistant message "
        "prefill. The conversation must end with a user message."
    ),
)
OLDER_CLAUDE = Profile(
    "older Claude",
    re.compile(r"anthropic\.claude-"),
    refused={},
    fields=frozenset({"thinking", "top_k", "anthropic_beta"}),
    lifecycle="LEGACY",
)
NOVA = Profile(
    "Nova",
    re.compile(r"amazon\.nova-"),
    refused={},
    fields=frozenset({"inferenceConfig"}),
    refused_documents="This model doesn't support citations.",
)
OPEN_WEIGHTS = Profile(
    "open weights",
    re.compile(r"(?:openai\.gpt-oss|qwen\.|deepseek\.|meta\.llama|mistral\.)"),
    refused={
        "stopSequences": (
            "This model doesn't support the stopSequences field. Remove stopSequences and try "
            "again."
        )
    },
    fields=frozenset({"reasoning_effort"}),
    thinks=True,
    refused_documents="This model doesn't support documents.",
)
PROFILES = (CURRENT_CLAUDE, OLDER_CLAUDE, NOVA, OPEN_WEIGHTS)


def profile_of(model_id: str) -> Profile | None:
    """The profile of a model, an inference profile of it or its ARN; None for an unknown one."""
    model = _INFERENCE_PROFILE.sub("", model_id.rsplit("/", 1)[-1], count=1)
    return next((profile for profile in PROFILES if profile.model_ids.match(model)), None)
