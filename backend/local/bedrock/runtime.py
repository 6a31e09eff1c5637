"""A stand-in for Bedrock over its wire format: Titan embeddings, Converse, GetFoundationModel."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from local.bedrock.converse import InvalidRequestError, converse
from local.bedrock.embedding import count_tokens, embed
from local.bedrock.event_stream import streamed
from local.bedrock.profiles import profile_of

OPERATION = re.compile(r"/model/(?P<model>.+)/(?P<operation>invoke|converse-stream|converse)")
_MODEL = re.compile(r"/foundation-models/(?P<model>.+)")
_TITAN = "titan-embed-text-v2"
_DIMENSIONS = (256, 512, 1024)
_LONGEST_TEXT = 50_000
_REFORMAT = "please reformat your input and try again."
_EMBEDDING_KEYS = {"inputText", "dimensions", "normalize", "embeddingTypes"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of Bedrock's; `content` is its JSON, unless it is a stream of events."""

    status: int
    content: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterable[bytes] | None = None


class Bedrock:
    """The stand-in: embeddings by feature hashing, answers by extraction from the passages in the
    prompt.
    """

    def serves(self, method: str, path: str) -> bool:
        """Whether the request is for one of Bedrock's APIs."""
        known = {"POST": OPERATION, "GET": _MODEL}.get(method)
        return known is not None and known.fullmatch(path) is not None

    def answer(self, path: str, body: bytes) -> Answer:
        """Answer a request that `serves` accepts."""
        if model := _MODEL.fullmatch(path):
            return _foundation_model(unquote(model["model"]))
        found = OPERATION.fullmatch(path)
        assert found is not None  # noqa: S101 - `serves` accepted it
        try:
            content = _json_object(body)
            if found["operation"] == "invoke":
                result, tokens = _embedding(unquote(found["model"]), content)
                return Answer(200, result, {"X-Amzn-Bedrock-Input-Token-Count": str(tokens)})
            answer = converse(unquote(found["model"]), content)
            is_streamed = found["operation"] == "converse-stream"
            return Answer(200, answer, stream=streamed(answer) if is_streamed else None)
        except (InvalidRequestError, ValueError) as error:
            return _error(400, "ValidationException", str(error))


def _error(status: int, error_type: str, message: str) -> Answer:
    return Answer(status, {"message": message}, {"x-amzn-ErrorType": error_type})


def _foundation_model(model_id: str) -> Answer:
    profile = profile_of(model_id)
    if profile is None and _TITAN not in model_id:
        return _error(404, "ResourceNotFoundException", "Could not resolve the foundation model.")
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{model_id}"
    lifecycle = {"status": profile.lifecycle if profile else "ACTIVE"}
    details = {"modelArn": arn, "modelId": model_id, "modelLifecycle": lifecycle}
    return Answer(200, {"modelDetails": details})


def _json_object(body: bytes) -> dict[str, Any]:
    content = json.loads(body)
    if not isinstance(content, dict):
        raise InvalidRequestError("Malformed input request: expected type: JSONObject")
    return content


def _embedding(model_id: str, content: dict[str, Any]) -> tuple[dict[str, Any], int]:
    if _TITAN not in model_id:
        raise InvalidRequestError("The provided model identifier is invalid.")
    if extra := content.keys() - _EMBEDDING_KEYS:
        name = min(extra)
        raise InvalidRequestError(
            f"Malformed input request: #: extraneous key [{name}] is not permitted, {_REFORMAT}"
        )
    text = content.get("inputText")
    if not isinstance(text, str) or not text:
        raise InvalidRequestError(
            f"Malformed input request: expected minLength: 1, actual: 0, {_REFORMAT}"
        )
    if len(text) > _LONGEST_TEXT:
        raise InvalidRequestError(
            f"Malformed input request: expected maxLength: {_LONGEST_TEXT}, "
            f"actual: {len(text)}, {_REFORMAT}"
        )
    dimensions = content.get("dimensions", 1024)
    if dimensions not in _DIMENSIONS:
        raise InvalidRequestError(
            f"Malformed input request: #/dimensions: {dimensions} is not a valid enum value, "
            + _REFORMAT
        )
    vector = embed(text, dimensions=dimensions, normalize=content.get("normalize", True))
    tokens = count_tokens(text)
    result = {
        "embedding": vector,
        "inputTextTokenCount": tokens,
        "embeddingsByType": {"float": vector},
    }
    return result, tokens
