"""The format of a record: what is readable in it, and what is encrypted with which key.

A document's texts are encrypted with the document's key: its passages as retrieved and as they
are in the prompt. Everything else that was asked or written is encrypted with the conversation's
key. Quotes, titles and the prompt are rebuilt from both.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from chat.answers.passages import Passage
from chat.prompt import passage_element
from chat.recording import cipher
from chat.recording.evidence import Evidence, Question
from chat.recording.keys import DataKey, conversation_owner, document_owner
from shared.answers import CheckedAnswer

FORMAT: Final = 1
PREFIX: Final = "records/"

# Fields of a citation with texts of the document.
_OF_DOCUMENT: Final = {"quote", "title"}
# Fields of an answer with texts of the conversation. All others may be read without a key.
_TEXTS: Final = {"answer", "citations", "removed", "question_figures"}


class Link(NamedTuple):
    """A record's place in the chain of its writer.

    Attributes:
        sequence: Counted from 1.
        previous: The SHA-256 of the writer's record before, in hexadecimal; None for the first.
    """

    writer_id: str
    sequence: int
    previous: str | None


class Release(NamedTuple):
    """The release that answered, and the settings that a replay needs."""

    version: str
    model: Mapping[str, Any]
    answering: Mapping[str, Any]


def key_of(written_at: datetime, link: Link) -> str:
    """Return a record's key; keys sort by the hour in UTC."""
    return f"{PREFIX}{written_at:%Y/%m/%d/%H}/{link.writer_id}-{link.sequence:08d}.json"


def place_of(key: str, owner: str) -> str:
    """Return the place of a text, without which it cannot be decrypted."""
    return f"{key} {owner}"


def owners(question: Question, evidence: Evidence) -> list[str]:
    """Return the owners of the keys that a record needs."""
    return [
        conversation_owner(question.conversation),
        *(document_owner(one) for one in _by_document(_passages(evidence))),
    ]


def build(
    link: Link,
    written_at: datetime,
    *,
    release: Release,
    ids: Mapping[str, str | None],
    question: Question,
    answer: CheckedAnswer,
    evidence: Evidence,
    keys: Mapping[str, DataKey],
) -> bytes:
    """Return the content of a record, which must be stored under `key_of(written_at, link)`.

    Args:
        link: Its place in the chain.
        written_at: The current time.
        release: The release that answered, and its settings.
        ids: The ids of the request and of its trace.
        question: The question.
        answer: The checked answer.
        evidence: The inputs of the answer.
        keys: The data key of each of `owners`.
    """
    key = key_of(written_at, link)
    verdict = answer.model_dump(mode="json", exclude=_TEXTS)
    passages = _passages(evidence)
    return orjson.dumps(
        {
            "format": FORMAT,
            "key": key,
            "writer": link._asdict(),
            "written_at": written_at.isoformat(),
            "asked_at": question.asked_at.isoformat(),
            "release": release.version,
            **ids,
            "caller": question.caller,
            # The pseudonym: records cannot be erased, unlike the texts, which name the subject.
            "user": None if question.user is None else question.user.id,
            "conversation": question.conversation,
            "verdict": verdict | {"removed": [one.reason for one in answer.removed]},
            "model": None if evidence.completion is None else release.model,
            "answering": release.answering,
            "passages": [
                {
                    "document_id": one.document_id,
                    "owner": one.owner,
                    "document_version": one.version,
                    "passage_id": one.passage_id,
                    "page": one.page,
                    "as_of": one.as_of,
                    "score": one.score,
                    "fused": one.fused,
                }
                for one in passages
            ],
            "cipher": cipher.ALGORITHM,
            "texts": _box(
                key,
                conversation_owner(question.conversation),
                keys,
                _conversation_texts(question, answer, evidence),
            ),
            "document_texts": {
                document_id: _box(
                    key, document_owner(document_id), keys, [_passage_texts(one) for one in found]
                )
                for document_id, found in _by_document(passages).items()
            },
        }
    )


def _conversation_texts(
    question: Question, answer: CheckedAnswer, evidence: Evidence
) -> dict[str, Any]:
    return {
        "question": question.text,
        "user": None if question.user is None else asdict(question.user),
        "history": [asdict(one) for one in question.history],
        "top_k": question.top_k,
        "filter": question.metadata_filter,
        "answer": answer.model_dump(mode="json", exclude={"citations": {"__all__": _OF_DOCUMENT}}),
        "embedding_model": evidence.retrieved.embedding_model if evidence.retrieved else None,
        "best_score": evidence.retrieved.closest if evidence.retrieved else None,
        "prompt": _prompt(evidence),
        "completion": None if evidence.completion is None else asdict(evidence.completion),
    }


def _prompt(evidence: Evidence) -> dict[str, Any] | None:
    if evidence.completion is None:
        return None
    elements = "\n".join(map(passage_element, _passages(evidence)))
    return {
        "today": evidence.today and evidence.today.isoformat(),
        "system": evidence.system,
        "after_passages": evidence.prompt.removeprefix(elements),
        # Not readable without the key: whoever knows the passages could guess the question by it.
        "sha256": prompt_hash(evidence.system, evidence.prompt),
    }


def prompt_hash(system: str, prompt: str) -> str:
    """Return the SHA-256 of the model's input."""
    return sha256(f"{system}\n{prompt}".encode()).hexdigest()


def _passage_texts(passage: Passage) -> dict[str, Any]:
    return {
        "passage_id": passage.passage_id,
        "title": passage.title,
        "text": passage.text,
        "element": passage_element(passage),
    }


def _box(key: str, owner: str, keys: Mapping[str, DataKey], texts: Any) -> dict[str, str]:
    data = cipher.encrypt(
        keys[owner].secret, zlib.compress(orjson.dumps(texts)), place_of(key, owner)
    )
    return {"key_id": keys[owner].id, "data": base64.b64encode(data).decode()}


def _passages(evidence: Evidence) -> Sequence[Passage]:
    return evidence.retrieved.passages if evidence.retrieved else ()


def _by_document(passages: Sequence[Passage]) -> dict[str, list[Passage]]:
    found: dict[str, list[Passage]] = {}
    for one in passages:
        # Two owners may use the same id; each document has a key of its own.
        name = one.document_id if one.owner is None else f"{one.owner}/{one.document_id}"
        found.setdefault(name, []).append(one)
    return found
