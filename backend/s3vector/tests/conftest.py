"""Fixtures: one local AWS for all tests of the package; each test gets its own bucket or index."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from s3vector.compaction import Limits
from s3vector.pool import Pool
from s3vector.s3_store import S3VectorStore
from s3vector.s3vectors_index import VectorIndex
from s3vector.s3vectors_store import S3VectorsStore
from s3vector.tests.cloud import Cloud
from s3vector.tests.fakes import DIMENSIONS, SPACE
from shared.aws.bucket import Bucket

type StoreFactory = Callable[..., S3VectorStore]


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    with cloud.running():
        yield cloud


@pytest.fixture(scope="session")
def s3(cloud: Cloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def bucket_name(s3: Any) -> str:
    name = f"vectors-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def new_s3_store(s3: Any, bucket_name: str) -> StoreFactory:
    """Makes independent stores over the test's bucket, like instances of the service."""

    def make(
        *,
        client: Any = None,
        capacity_bytes: int = 2**20,
        limits: Limits | None = None,
        space: str = SPACE,
        dimensions: int = DIMENSIONS,
    ) -> S3VectorStore:
        return S3VectorStore(
            Bucket(bucket_name, lambda: client or s3),
            space=space,
            dimensions=dimensions,
            capacity_bytes=capacity_bytes,
            pool=Pool(4),
            limits=limits or Limits(),
        )

    return make


@pytest.fixture
def new_s3vectors_store(cloud: Cloud) -> Callable[..., S3VectorsStore]:
    """Makes stores over an index of the test's own."""
    client = cloud.client("s3vectors")
    name = f"vectors-{uuid4().hex}"
    client.create_vector_bucket(vectorBucketName=name)
    client.create_index(
        vectorBucketName=name,
        indexName="documents",
        dataType="float32",
        dimension=DIMENSIONS,
        distanceMetric="cosine",
        metadataConfiguration={"nonFilterableMetadataKeys": ["_passage"]},
    )

    def make(*, space: str = SPACE, index: str = "documents") -> S3VectorsStore:
        return S3VectorsStore(
            VectorIndex(name, index, space=space, client=lambda: client, pool=Pool(4))
        )

    return make
