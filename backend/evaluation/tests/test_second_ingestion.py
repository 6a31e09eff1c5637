"""The runner and s3vector together: the same bytes again embed and write nothing."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from runner.items import UploadItem, dump_items
from runner.jobs import Job
from runner.parts import S3PartCounts
from runner.settings import Settings
from runner.sink import DocumentPayload, DocumentSink
from runner.store import S3JobStore
from runner.tests.fakes import make_pdf
from runner.uploads import S3Uploads
from runner.worker import Worker
from s3vector.documents import Documents
from s3vector.embeddings import Embedder
from s3vector.ownership import OwnedStore
from s3vector.pool import Pool
from s3vector.s3_store import S3VectorStore
from s3vector.store import Vector
from shared.aws.bucket import Bucket
from shared.documents import DocumentBody

pytestmark = pytest.mark.anyio


class _CountingEmbedder(Embedder):
    model_id = "test"
    dimensions = 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.texts += texts
        return [array("f", (1.0, len(text))) for text in texts]


class _DirectSink(DocumentSink):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def put(self, documents: Sequence[DocumentPayload], *, timeout_seconds: float) -> None:
        self._documents.put([DocumentBody.model_validate(one) for one in documents])

    async def delete(self, document_id: str, *, timeout_seconds: float) -> None:
        raise AssertionError(f"{document_id}: nothing became shorter")


async def test_a_second_ingestion_of_the_same_bytes_embeds_and_writes_nothing(
    aws_server: Any,
) -> None:
    s3: Any = boto3.client(
        "s3",
        endpoint_url=aws_server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    vectors, uploads = f"vectors-{uuid4().hex}", f"jobs-{uuid4().hex}"
    for name in (vectors, uploads):
        s3.create_bucket(Bucket=name)
    files = {
        "uploads/report.pdf": make_pdf(
            [f"Page {number}. " + "Rates rose. " * 300 for number in range(1, 7)]
        ),
        "uploads/page.html": b"<h1>Fees</h1>" + b"<p>A fee is due. It is small.</p>" * 200,
        "uploads/notes.md": b"# Notes\n\n" + b"Some words about savings. " * 400,
    }
    for key, content in files.items():
        s3.put_object(Bucket=uploads, Key=key, Body=content)
    embedder = _CountingEmbedder()

    async def ingest(slice_seconds: float, batch_documents: int) -> None:
        # New stores, as another instance of each service has them.
        store = S3VectorStore(
            Bucket(vectors, lambda: s3),
            space="test/2",
            dimensions=2,
            capacity_bytes=2**22,
            pool=Pool(2),
        )
        bucket = Bucket(uploads, lambda: s3)
        jobs = S3JobStore(bucket)
        worker = Worker(
            Settings(
                project_name="fin-advisor",
                environment="test",
                service_name="runner",
                api_gateway_url="http://127.0.0.1:9/dev",
                jobs_bucket_name=uploads,
                part_characters=2000,
                slice_seconds=slice_seconds,
                slice_limit_seconds=110,  # a busy machine must not end a step
                batch_documents=batch_documents,
                parse_seconds=60,
            ),
            jobs=jobs,
            uploads=S3Uploads(bucket),
            counts=S3PartCounts(bucket),
            sink=_DirectSink(Documents(OwnedStore(store), embedder, max_passages=10_000)),
        )
        items = [
            UploadItem(id=key.removeprefix("uploads/"), key=key, size=len(content))
            for key, content in files.items()
        ]
        now = datetime.now(UTC)
        job = jobs.create(
            Job(
                id=f"job-{uuid4().hex}",
                fingerprint="f",
                items_key="",
                total=len(items),
                created_at=now,
                updated_at=now,
            ),
            dump_items(items),
        ).job
        for _ in range(100):
            job = (await worker.advance(job.id)).job
            if not job.is_open:
                break
        assert (job.state, job.done) == ("succeeded", 3)

    def stored() -> list[tuple[str, str, datetime]]:
        listed = s3.list_objects_v2(Bucket=vectors)["Contents"]
        return [(one["Key"], one["ETag"], one["LastModified"]) for one in listed]

    await ingest(slice_seconds=15, batch_documents=50)
    before, embedded = stored(), len(embedder.texts)
    assert embedded > 15
    # Slices that end elsewhere change nothing either.
    await ingest(slice_seconds=0.01, batch_documents=2)
    assert len(embedder.texts) == embedded
    assert stored() == before
