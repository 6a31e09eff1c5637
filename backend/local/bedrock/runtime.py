"""A stand-in for Bedrock's runtime: Titan text embeddings and Converse, over Bedrock's own wire
format.

`POST /_local/bedrock/faults {"operation", "kind", "times", "seconds"}` orders failures, `DELETE`
takes the orders back.
"""

import itertools
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from local.bedrock.embedding import count_tokens, embed
from local.bedrock.extraction import extract_answer, read_prompt
from local.bedrock.faults import Faults

FAULTS_PATH = "/_local/bedrock/faults"

_OPERATION = re.compile(r"/model/(?P<model>.+)/(?P<operation>invoke|converse)")
_DIMENSIONS = (256, 512, 1024)
_LONGEST_TEXT = 50_000
_AGAIN = "please reformat your input and try again."
_EMBEDDING_KEYS = {"inputText", "dimensions", "normalize", "embeddingTypes"}


class InvalidRequestError(Exception):
    """A ValidationException, with Bedrock's message."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of Bedrock's; `content` is its JSON."""

    status: int
    content: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class Bedrock:
    """The stand-in: embeddings by feature hashing, answers by extraction from the passages in the
    prompt.
    """

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()

    def serves(self, method: str, path: str) -> bool:
        """Return whether a request is one of Bedrock's, or orders faults."""
        return path == FAULTS_PATH or (method == "POST" and _OPERATION.fullmatch(path) is not None)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request that `serves` accepts."""
        if path == FAULTS_PATH:
            return self._order(method, body)
        found = _OPERATION.fullmatch(path)
        assert found is not None  # noqa: S101 - `serves` accepted it
        failure = self.faults.next(found["operation"])
        if failure is not None:
            return _error(failure.status, failure.error_type, failure.message)
        began = time.perf_counter()
        try:
            content = _object(body)
            if found["operation"] == "invoke":
                result, tokens = _embedding(unquote(found["model"]), content)
                return Answer(200, result, {"X-Amzn-Bedrock-Input-Token-Count": str(tokens)})
            return Answer(200, _converse(content, began))
        except (InvalidRequestError, ValueError) as error:
            return _error(400, "ValidationException", str(error))

    def _order(self, method: str, body: bytes) -> Answer:
        if method == "DELETE":
            self.faults.clear()
            return Answer(200, {})
        try:
            order = json.loads(body)
            self.faults.add(
                order["operation"],
                order["kind"],
                times=int(order.get("times", 1)),
                seconds=float(order.get("seconds", 60)),
            )
        except (ValueError, KeyError, TypeError) as error:
            return _error(400, "ValidationException", repr(error))
        return Answer(200, {})


def _error(status: int, error_type: str, message: str) -> Answer:
    return Answer(status, {"message": message}, {"x-amzn-ErrorType": error_type})


def _object(body: bytes) -> dict[str, Any]:
    content = json.loads(body)
    if not isinstance(content, dict):
        raise InvalidRequestError("Malformed input request: expected type: JSONObject")
    return content


def _embedding(model_id: str, content: dict[str, Any]) -> tuple[dict[str, Any], int]:
    if "titan-embed-text-v2" not in model_id:
        raise InvalidRequestError("The provided model identifier is invalid.")
    if extra := content.keys() - _EMBEDDING_KEYS:
        name = min(extra)
        raise InvalidRequestError(
            f"Malformed input request: #: extraneous key [{name}] is not permitted, {_AGAIN}"
        )
    text = content.get("inputText")
    if not isinstance(text, str) or not text:
        raise InvalidRequestError(
            f"Malformed input request: expected minLength: 1, actual: 0, {_AGAIN}"
        )
    if len(text) > _LONGEST_TEXT:
        raise InvalidRequestError(
            f"Malformed input request: expected maxLength: {_LONGEST_TEXT}, "
            f"actual: {len(text)}, {_AGAIN}"
        )
    dimensions = content.get("dimensions", 1024)
    if dimensions not in _DIMENSIONS:
        raise InvalidRequestError(
            f"Malformed input request: #/dimensions: {dimensions} is not a valid enum value, "
            + _AGAIN
        )
    vector = embed(text, dimensions=dimensions, normalize=content.get("normalize", True))
    tokens = count_tokens(text)
    result = {
        "embedding": vector,
        "inputTextTokenCount": tokens,
        "embeddingsByType": {"float": vector},
    }
    return result, tokens


def _converse(content: dict[str, Any], began: float) -> dict[str, Any]:
    messages = content.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequestError("A conversation must have at least one message.")
    texts = [_text_of(message) for message in messages]
    roles = [message["role"] for message in messages]
    if roles[0] != "user":
        raise InvalidRequestError("A conversation must start with a user message.")
    if roles[-1] != "user":
        raise InvalidRequestError("A conversation must end with a user message.")
    if any(a == b for a, b in itertools.pairwise(roles)):
        raise InvalidRequestError('messages: roles must alternate between "user" and "assistant".')
    passages, question = read_prompt(texts[-1])
    answer = extract_answer(passages, question)
    system = "".join(block.get("text", "") for block in content.get("system", []))
    spent = count_tokens(system + "".join(texts)), count_tokens(answer)
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": answer}]}},
        "stopReason": "end_turn",
        "usage": {
            "inputTokens": spent[0],
            "outputTokens": spent[1],
            "totalTokens": sum(spent),
        },
        "metrics": {"latencyMs": max(1, round((time.perf_counter() - began) * 1000))},
    }


def _text_of(message: Any) -> str:
    try:
        blocks = message["content"]
        texts = [block["text"] for block in blocks if "text" in block]
        known = message["role"] in {"user", "assistant"}
    except (TypeError, KeyError) as error:
        raise InvalidRequestError(
            "Malformed input request: a message needs role and content."
        ) from error
    if not known or not blocks:
        raise InvalidRequestError("Malformed input request: a message needs role and content.")
    if any(not isinstance(text, str) or not text.strip() for text in texts):
        raise InvalidRequestError(
            "The text field in the ContentBlock object is blank. "
            "Add text to the text field, and try again."
        )
    return "\n".join(texts)
