"""The HTTP routes of the s3vector service."""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, status
from fastapi import Query as QueryParameter

from s3vector.documents import Documents
from s3vector.embeddings import Embedder
from s3vector.filters import parse_filter
from s3vector.models import (
    DocumentDetail,
    DocumentPage,
    DocumentSummary,
    Embeddings,
    Found,
    PutDocuments,
    Query,
    Stats,
    StoredDocuments,
    Texts,
)
from s3vector.ownership import OwnedStore
from s3vector.pool import TIME_IS_UP
from s3vector.search import Mode, Search
from shared.documents import DocumentId, PassageCursor
from shared.models import error_responses
from shared.request.deadline import in_time
from shared.users import NamedOwner

router = APIRouter()


async def get_documents(request: Request) -> Documents:
    return request.app.state.documents  # type: ignore[no-any-return]


async def get_search(request: Request) -> Search:
    return request.app.state.search  # type: ignore[no-any-return]


async def get_store(request: Request) -> OwnedStore:
    return request.app.state.store  # type: ignore[no-any-return]


async def get_embedder(request: Request) -> Embedder:
    return request.app.state.embedder  # type: ignore[no-any-return]


async def get_default_mode(request: Request) -> Mode:
    return request.app.state.search_mode  # type: ignore[no-any-return]


DocumentsPort = Annotated[Documents, Depends(get_documents)]
SearchPort = Annotated[Search, Depends(get_search)]
StorePort = Annotated[OwnedStore, Depends(get_store)]
EmbedderPort = Annotated[Embedder, Depends(get_embedder)]
DefaultMode = Annotated[Mode, Depends(get_default_mode)]

_READ_ERRORS = error_responses(409, 507)


def bounded[R](operation: Callable[..., R]) -> Callable[..., Coroutine[Any, Any, R]]:
    """Run a blocking operation in a thread, and stop waiting at the request's deadline.

    The thread is abandoned. It may still write, which is harmless: all writes are idempotent.
    """

    @wraps(operation)
    async def wrapper(**arguments: Any) -> R:
        call = partial(operation, **arguments)
        return await in_time(to_thread.run_sync(call, abandon_on_cancel=True), TIME_IS_UP)

    return wrapper


@router.put(
    "/documents",
    summary="Store documents",
    response_description="The stored state of each document.",
    responses=_READ_ERRORS,
)
@bounded
def put_documents(
    body: PutDocuments,
    documents: DocumentsPort,
    whole: Annotated[
        bool,
        QueryParameter(
            description="No document is a part of a longer one: what they replace loses its parts."
        ),
    ] = False,
) -> StoredDocuments:
    """Store documents, replacing those with the same ids; repeating it changes nothing."""
    return StoredDocuments.of(documents.put(body.documents, whole=whole))


@router.get("/documents", summary="List documents", responses=_READ_ERRORS)
@bounded
def list_documents(
    store: StorePort,
    owner: NamedOwner,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    cursor: Annotated[
        str | None,
        QueryParameter(min_length=1, max_length=4096, description="The cursor of the page before."),
    ] = None,
) -> DocumentPage:
    """Return one page of documents, without their texts; each is on one page only."""
    page = store.page(limit, cursor, owner)
    return DocumentPage(
        documents=[DocumentSummary.of(one) for one in page.records], cursor=page.cursor
    )


@router.get(
    "/documents/{document_id}",
    summary="Read a document",
    responses=error_responses(404) | _READ_ERRORS,
)
@bounded
def get_document(
    document_id: DocumentId, documents: DocumentsPort, cursor: PassageCursor = None
) -> DocumentDetail:
    """Return a document with its passages; those of a long document are on several pages."""
    return DocumentDetail.with_passages(documents.read(document_id, int(cursor or 0)))


@router.delete(
    "/documents/{document_id}",
    summary="Delete a document",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=error_responses(404) | _READ_ERRORS,
)
@bounded
def delete_document(document_id: DocumentId, documents: DocumentsPort, owner: NamedOwner) -> None:
    """Delete a document with all its parts and passages."""
    documents.delete(document_id, owner)


@router.post("/query", summary="Find passages", responses=_READ_ERRORS)
@bounded
def query(
    body: Query, search: SearchPort, embedder: EmbedderPort, default_mode: DefaultMode
) -> Found:
    """Return the best passages for a text or a vector, among those that match the filter."""
    where = None if body.filter is None else parse_filter(body.filter)
    mode = body.mode or (default_mode if body.vector is None else "dense")
    if body.vector is not None:
        hits = search.by_vector(
            body.vector, top_k=body.top_k, where=where, per_document=body.per_document
        )
    else:
        hits = search.by_text(
            body.text or "",
            mode=mode,
            top_k=body.top_k,
            where=where,
            per_document=body.per_document,
        )
    return Found.of(hits, mode=mode, embedding_model=embedder.model_id)


@router.post(
    "/embeddings",
    summary="Embed texts",
)
@bounded
def make_embeddings(body: Texts, embedder: EmbedderPort) -> Embeddings:
    """Return a vector for each text. Nothing is stored."""
    return Embeddings(
        embeddings=[list(one) for one in embedder.embed(body.texts)],
        dimensions=embedder.dimensions,
        model_id=embedder.model_id,
    )


@router.get("/stats", summary="Size of the store", responses=_READ_ERRORS)
@bounded
def get_stats(store: StorePort, embedder: EmbedderPort) -> Stats:
    """Return how much is stored, and the store's capacity."""
    return Stats.of(store.stats(), model_id=embedder.model_id, dimensions=embedder.dimensions)
