"""Builds the application of the s3vector service from its parts."""

from functools import partial

from fastapi import FastAPI

from s3vector.documents import Documents
from s3vector.embeddings import Embedder, TitanEmbedder
from s3vector.ownership import OwnedStore
from s3vector.pool import Pool
from s3vector.routes import router
from s3vector.s3_store import S3VectorStore
from s3vector.s3vectors_index import VectorIndex
from s3vector.s3vectors_store import S3VectorsStore
from s3vector.search import Search
from s3vector.settings import Settings
from s3vector.store import VectorStore
from shared.access import KeyNames
from shared.app import create_service_app
from shared.aws.bucket import Bucket
from shared.aws.clients import MODEL_ATTEMPTS, aws_client

# More threads hardly speed up reads from S3.
_READ_THREADS = 4


def create_app(
    settings: Settings,
    *,
    store: VectorStore | None = None,
    embedder: Embedder | None = None,
    key_names: KeyNames | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        settings: The service's settings.
        store: The vector store; by default the one that `settings.vector_backend` names.
        embedder: The embedding model; by default Titan on Bedrock.
        key_names: The names of API keys; by default in SSM.
    """
    embedder = embedder or _embedder(settings)
    # Every route goes through it: there is no way to a document but as the current user.
    owned = OwnedStore(store or _store(settings))
    app = create_service_app(
        settings,
        title="s3vector",
        description="Stores documents and finds the passages that fit a question.",
        routers=[router],
        readiness_checks={"vector_store": owned.check},
        key_names=key_names,
    )
    app.state.store = owned
    app.state.embedder = embedder
    app.state.documents = Documents(owned, embedder, max_passages=settings.max_passages_per_request)
    app.state.search = Search(owned, embedder)
    app.state.search_mode = settings.search_mode
    return app


def _embedder(settings: Settings) -> Embedder:
    return TitanEmbedder(
        partial(
            aws_client,
            "bedrock-runtime",
            region=settings.aws_region,
            max_attempts=MODEL_ATTEMPTS,
        ),
        model_id=settings.bedrock_model_id,
        dimensions=settings.embedding_dimensions,
        pool=Pool(settings.embedding_concurrency),
    )


def _store(settings: Settings) -> VectorStore:
    space = f"{settings.bedrock_model_id}/{settings.embedding_dimensions}"
    if settings.vector_backend == "s3vectors":
        return S3VectorsStore(
            VectorIndex(
                settings.vector_bucket_name,
                settings.vector_index_name,
                space=space,
                client=partial(aws_client, "s3vectors", region=settings.aws_region),
                pool=Pool(_READ_THREADS),
            )
        )
    return S3VectorStore(
        Bucket(settings.vector_bucket_name, partial(aws_client, "s3", region=settings.aws_region)),
        space=space,
        dimensions=settings.embedding_dimensions,
        capacity_bytes=settings.max_store_bytes,
        pool=Pool(_READ_THREADS),
    )
