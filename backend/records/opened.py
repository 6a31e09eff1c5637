"""Records with their texts decrypted, as far as the keys still exist."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from chat.answers.check import Segment
from chat.answers.passages import Passage
from chat.chat_model import Completion
from chat.recording.cipher import WrongKey, decrypt
from chat.recording.keys import DataKey, conversation_owner, document_owner
from chat.recording.record import place_of


class NotARecord(Exception):
    """The content is not a record of a known format."""


class Record(NamedTuple):
    """A record.

    Attributes:
        fields: What may be read without a key.
        texts: The texts of the conversation; None without its key.
        documents: The texts of each document's passages by id; None without the document's key.
    """

    fields: Mapping[str, Any]
    texts: Mapping[str, Any] | None
    documents: Mapping[str, list[Any] | None]

    @property
    def unreadable(self) -> list[str]:
        """The owners whose key is missing."""
        owners = [] if self.texts is not None else [conversation_owner(self.fields["conversation"])]
        return owners + [
            document_owner(one) for one, texts in self.documents.items() if texts is None
        ]

    def passages(self) -> tuple[Passage, ...]:
        """Return the passages in the order in which they were retrieved."""
        texts = {one["passage_id"]: one for found in self.documents.values() for one in found or []}
        return tuple(
            Passage(
                passage_id=one["passage_id"],
                document_id=one["document_id"],
                text=texts[one["passage_id"]]["text"],
                title=texts[one["passage_id"]]["title"],
                page=one["page"],
                as_of=one["as_of"],
                score=one["score"],
                fused=one.get("fused"),
                version=one["document_version"],
                owner=one.get("owner"),
            )
            for one in self.fields["passages"]
        )

    def prompt(self) -> tuple[str, str] | None:
        """Return the rules and the message that the model got; None if it was not asked."""
        prompt = (self.texts or {}).get("prompt")
        if prompt is None:
            return None
        elements = {
            one["passage_id"]: one["element"]
            for found in self.documents.values()
            for one in found or []
        }
        before = "\n".join(elements[one["passage_id"]] for one in self.fields["passages"])
        return prompt["system"], before + prompt["after_passages"]

    def completion(self) -> Completion | None:
        """Return what the model wrote; None if it was not asked."""
        fields = (self.texts or {}).get("completion")
        if fields is None:
            return None
        segments = (Segment(one["text"], tuple(one["passage_ids"])) for one in fields["segments"])
        return Completion(
            tuple(segments), fields["stop_reason"], fields["input_tokens"], fields["output_tokens"]
        )

    def answer(self) -> dict[str, Any]:
        """Return the answer as it was given, with the quotes and titles of its documents."""
        answer = orjson.loads(orjson.dumps((self.texts or {})["answer"]))
        passages = {one.passage_id: one for one in self.passages()}
        for citation in answer["citations"]:
            passage = passages[citation["passage_id"]]
            citation["title"] = passage.title
            citation["quote"] = passage.text[citation["start"] : citation["end"]]
        return dict(answer)


def owners(content: bytes) -> list[str]:
    """Return the owners of the keys of a record.

    Raises:
        NotARecord: The content is not a record.
    """
    fields = parsed(content)
    return [
        conversation_owner(fields["conversation"]),
        *map(document_owner, fields["document_texts"]),
    ]


def opened(content: bytes, keys: Mapping[str, DataKey]) -> Record:
    """Return a record.

    Args:
        content: The object's content.
        keys: The keys that exist by owner.

    Raises:
        NotARecord: The content is not a record.
        WrongKey: A text was changed.
    """
    fields = parsed(content)
    key = fields["key"]
    return Record(
        fields,
        _text(key, conversation_owner(fields["conversation"]), fields["texts"], keys),
        {
            one: _text(key, document_owner(one), box, keys)
            for one, box in fields["document_texts"].items()
        },
    )


def parsed(content: bytes) -> dict[str, Any]:
    """Return the fields of a record, with its texts encrypted.

    Raises:
        NotARecord: The content is not a record.
    """
    try:
        fields = orjson.loads(content)
        if fields["format"] != 1:
            raise NotARecord(f"Records of format {fields['format']} need a newer release.")
        _ = fields["key"], fields["conversation"], fields["texts"], fields["document_texts"]
    except (ValueError, KeyError, TypeError):
        raise NotARecord("The object is no record.") from None
    return dict(fields)


def _text(key: str, owner: str, box: Mapping[str, str], keys: Mapping[str, DataKey]) -> Any:
    data_key = keys.get(owner)
    # After an erasure the owner may have a new key, with another id.
    if data_key is None or data_key.id != box["key_id"]:
        return None
    try:
        data = base64.b64decode(box["data"], validate=True)
    except ValueError:
        raise WrongKey(f"The text of {owner} in {key} is not base64.") from None
    return orjson.loads(zlib.decompress(decrypt(data_key.secret, data, place_of(key, owner))))
