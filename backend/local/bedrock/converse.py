"""A stand-in for Converse: rejects what the model would reject, and answers with sentences that it
extracts from the prompt.
"""

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

from local.bedrock.embedding import count_tokens
from local.bedrock.extraction import (
    UNKNOWN,
    Passage,
    earlier_question,
    extract_answer,
    extract_follow_up,
    read_prompt,
)
from local.bedrock.profiles import Profile, profile_of

_CHARACTERS_PER_TOKEN = 4
_MOST_DOCUMENTS = 5

type Block = dict[str, Any]


class InvalidRequestError(Exception):
    """A ValidationException, with Bedrock's message."""


def converse(model_id: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request for a model that has a profile.

    Raises:
        InvalidRequestError: Bedrock or the model refuses the request.
    """
    began = time.perf_counter()
    profile = profile_of(model_id)
    if profile is None:
        raise InvalidRequestError("The provided model identifier is invalid.")
    texts = _checked_texts(content.get("messages"), profile)
    if message := profile.refusal(content):
        raise InvalidRequestError(message)
    documents = _documents(content["messages"][-1]["content"], profile)
    blocks = _cited_answer(documents, texts[-1]) if documents else _answer(texts[-1])
    if profile.thinks:
        blocks.insert(0, _thought(texts[-1], profile))
    system = "".join(block.get("text", "") for block in content.get("system", []))
    limit = content.get("inferenceConfig", {}).get("maxTokens")
    blocks, written, is_cut = _cut_to_limit(limit, blocks)
    read = count_tokens(system + "".join(texts))
    return {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": "max_tokens" if is_cut else "end_turn",
        "usage": {"inputTokens": read, "outputTokens": written, "totalTokens": read + written},
        "metrics": {"latencyMs": max(1, round((time.perf_counter() - began) * 1000))},
    }


def _checked_texts(messages: Any, profile: Profile) -> list[str]:
    if not isinstance(messages, list) or not messages:
        raise InvalidRequestError("A conversation must have at least one message.")
    texts = [_text_of(message) for message in messages]
    roles = [message["role"] for message in messages]
    if roles[0] != "user":
        raise InvalidRequestError("A conversation must start with a user message.")
    if roles[-1] != "user":
        raise InvalidRequestError(profile.refused_prefill)
    if any(a == b for a, b in itertools.pairwise(roles)):
        raise InvalidRequestError('messages: roles must alternate between "user" and "assistant".')
    return texts


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


def _documents(blocks: Sequence[Block], profile: Profile) -> list[list[str]]:
    """The chunks of each document of a message."""
    documents = [block["document"] for block in blocks if "document" in block]
    if documents and profile.refused_documents:
        raise InvalidRequestError(profile.refused_documents)
    if len(documents) > _MOST_DOCUMENTS:
        raise InvalidRequestError(f"A message has at most {_MOST_DOCUMENTS} documents.")
    return [
        [chunk["text"] for chunk in document["source"].get("content", [])] for document in documents
    ]


def _answer(prompt: str) -> list[Block]:
    passages, question = read_prompt(prompt)
    return [{"text": extract_answer(passages, question, earlier_question(prompt))}]


def _cited_answer(documents: Sequence[Sequence[str]], prompt: str) -> list[Block]:
    places = [
        (index, chunk) for index, chunks in enumerate(documents) for chunk in range(len(chunks))
    ]
    passages = [Passage("", "", documents[index][chunk]) for index, chunk in places]
    _, question = read_prompt(prompt)
    found = extract_follow_up(passages, question, earlier_question(prompt))
    return [
        _cited(item.text + ("" if item is found[-1] else " "), *places[item.passage])
        for item in found
    ] or [{"text": UNKNOWN}]


def _cited(text: str, document: int, chunk: int) -> Block:
    location = {"documentIndex": document, "start": chunk, "end": chunk + 1}
    citation = {
        "title": f"Document {document + 1}",
        "sourceContent": [{"text": text.strip()}],
        "location": {"documentChunk": location},
    }
    return {"citationsContent": {"content": [{"text": text}], "citations": [citation]}}


def _thought(prompt: str, profile: Profile) -> Block:
    _, question = read_prompt(prompt)
    thought = {"text": f"Which sentences answer this? {question[:200]}"}
    if profile.signs:
        thought["signature"] = "c2lnbmF0dXJl"
    return {"reasoningContent": {"reasoningText": thought}}


def _cut_to_limit(limit: int | None, blocks: Sequence[Block]) -> tuple[list[Block], int, bool]:
    """The blocks that fit into `limit` output tokens, their tokens, and whether any was cut.

    Thinking counts as output.
    """
    left = limit * _CHARACTERS_PER_TOKEN if limit else None
    kept: list[Block] = []
    characters = 0
    for block in blocks:
        part = _text_part(block)
        room = len(part["text"]) if left is None else left - characters
        if room <= 0:
            return kept, -(-characters // _CHARACTERS_PER_TOKEN), True
        kept.append(block)
        if len(part["text"]) > room:
            part["text"] = part["text"][:room]
            return kept, limit or 0, True
        characters += len(part["text"])
    return kept, max(1, -(-characters // _CHARACTERS_PER_TOKEN)), False


def _text_part(block: Block) -> dict[str, str]:
    if "reasoningContent" in block:
        part: dict[str, str] = block["reasoningContent"]["reasoningText"]
    elif "citationsContent" in block:
        part = block["citationsContent"]["content"][0]
    else:
        part = block
    return part
