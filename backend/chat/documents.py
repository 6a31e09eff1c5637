"""Passages as document blocks, for Bedrock's own citations."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chat.chat_model import PromptPassage

MAX_DOCUMENTS: Final = 5
"""The most documents that Converse accepts in a message."""

_PASSAGES: Final = re.compile(r"<passage\b[^>]*>.*?</passage>\s*", re.DOTALL)

type Groups = tuple[tuple[PromptPassage, ...], ...]


def grouped(passages: Sequence[PromptPassage]) -> Groups:
    """Distribute passages over at most `MAX_DOCUMENTS` document blocks, in the given order."""
    size = max(1, -(-len(passages) // MAX_DOCUMENTS))
    return tuple(itertools.batched(passages, size, strict=False))


def document_blocks(groups: Groups) -> list[dict[str, Any]]:
    """Return one document block for each group; each of its passages is a chunk."""
    # Titles and ids are left out: Bedrock restricts the characters of a document's name, and warns
    # that a model may read a name as an instruction.
    return [
        {
            "document": {
                "format": "txt",
                "name": f"Document {number}",
                "source": {"content": [{"text": passage.text} for passage in group]},
                "citations": {"enabled": True},
            }
        }
        for number, group in enumerate(groups, start=1)
    ]


def without_passages(text: str) -> str:
    """Return a prompt without its `<passage>` elements, which the document blocks replace."""
    return _PASSAGES.sub("", text).strip()


def cited_passages(citations: Sequence[Mapping[str, Any]], groups: Groups) -> tuple[str, ...]:
    """Return the ids of the passages that citations name, without duplicates.

    A citation of a document with several passages counts only if it says which chunk it means.
    """
    found: dict[str, None] = {}
    for citation in citations:
        for passage in _located(citation.get("location") or {}, groups):
            found[passage.id] = None
    return tuple(found)


def _located(location: Mapping[str, Any], groups: Groups) -> Sequence[PromptPassage]:
    place: Mapping[str, Any] = next(iter(location.values()), {})
    index = place.get("documentIndex")
    if not isinstance(index, int) or not 0 <= index < len(groups):
        return ()
    group = groups[index]
    if "documentChunk" in location:
        start = int(place.get("start", 0))
        return group[start : max(int(place.get("end", 0)), start + 1)]
    return group if len(group) == 1 else ()
