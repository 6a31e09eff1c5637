"""The settings of the s3vector service."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.settings import FullServiceSettings


class Settings(FullServiceSettings):
    """What the s3vector service reads from its environment.

    `max_store_bytes` bounds the `s3` store, which is kept in memory; the default fits a function
    of 512 MB. `embedding_concurrency` is the most calls to the model at the same time.
    `search_mode` is the mode of queries by text that name none.
    """

    vector_bucket_name: Annotated[str, Field(min_length=3, max_length=63)]
    """The bucket of the store, or the vector bucket of Amazon S3 Vectors."""

    vector_backend: Literal["s3", "s3vectors"] = "s3"
    """The engine: the service's own store in S3, or Amazon S3 Vectors."""

    vector_index_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = (
        "documents"
    )
    """The index of Amazon S3 Vectors."""

    bedrock_model_id: Annotated[str, Field(min_length=1, max_length=2048)] = (
        "amazon.titan-embed-text-v2:0"
    )
    """The model that creates embeddings."""

    embedding_dimensions: Annotated[
        Literal[256, 512, 1024],
        # Environment variables are strings, which never equal an integer literal.
        BeforeValidator(lambda value: int(value) if str(value).isdecimal() else value),
    ] = 1024
    """The length of a vector. It cannot be changed once documents are stored."""

    embedding_concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """The most calls to the model at the same time."""

    max_passages_per_request: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """The most passages that one request may store."""

    search_mode: Literal["dense", "hybrid"] = "hybrid"
    """The mode of queries by text that name none."""

    max_store_bytes: Annotated[int, Field(ge=2**16)] = 192 * 2**20
    """The most bytes of the store, which is kept in memory."""
