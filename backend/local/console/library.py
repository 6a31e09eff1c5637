"""The stored documents, read, searched and deleted through the gateway."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from local.console.gateway_client import GatewayClient
from local.console.models import (
    Document,
    DocumentPage,
    DocumentText,
    Found,
    FoundPassage,
    Passage,
    Scores,
    Search,
)

_PAGE = 200


class Library:
    """The documents of the estate. Every method raises GatewayError if the gateway refuses."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway

    async def page(self, cursor: str | None) -> DocumentPage:
        params = {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
        found, _ = await self._gateway.call("GET", "/api/documents", params=params, traced=False)
        return DocumentPage(
            documents=[Document.model_validate(one) for one in found["documents"]],
            cursor=found.get("cursor"),
        )

    async def document(self, document_id: str) -> DocumentText:
        found, _ = await self._gateway.call("GET", _path(document_id), traced=False)
        place = _place(found.get("metadata", {}))
        contents = [
            Passage(passage_id=one["passage_id"], text=one["text"], **place)
            for one in found["contents"]
        ]
        return DocumentText(**Document.model_validate(found).model_dump(), contents=contents)

    async def delete(self, document_id: str) -> None:
        await self._gateway.call("DELETE", _path(document_id), key="INGEST_API_KEY")

    async def search(self, words: Search) -> Found:
        found, trace_id = await self._gateway.call(
            "POST", "/api/search", json=words.model_dump(exclude_none=True)
        )
        passages = [
            FoundPassage(
                document_id=one["document_id"],
                passage_id=one["passage_id"],
                title=one.get("title"),
                text=one["text"],
                scores=Scores(
                    dense=one.get("score"), lexical=one.get("lexical"), fused=one.get("fused")
                ),
                **_place(one.get("metadata", {})),
            )
            for one in found["passages"]
        ]
        return Found(passages=passages, trace_id=trace_id)


def _path(document_id: str) -> str:
    return f"/api/documents/{quote(document_id, safe='')}"


def _place(metadata: Mapping[str, Any]) -> dict[str, Any]:
    page = metadata.get("first_page", metadata.get("page"))
    heading = metadata.get("heading")
    return {
        "page": page if isinstance(page, int) else None,
        "heading": heading if isinstance(heading, str) else None,
    }
