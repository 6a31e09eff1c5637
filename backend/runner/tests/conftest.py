"""Fixtures: for each test a bucket on a real S3 server, and a runner that uses it."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.s3.responses import S3Response

from runner.items import UploadItem, document_id, dump_items
from runner.jobs import Job
from runner.parts import S3PartCounts
from runner.settings import Settings
from runner.store import S3JobStore
from runner.tests.fakes import FakeSink, FaultyS3, Store
from runner.tests.instances import create_surroundings
from runner.uploads import S3Uploads
from runner.worker import Worker, _utc_now
from shared.aws.bucket import Bucket

MakeSettings = Callable[..., Settings]

KEY = "a-key-of-twenty-characters"


@pytest.fixture(scope="session", autouse=True)
def atomic_conditional_writes() -> Iterator[None]:
    """Make moto's conditional writes atomic, as in S3: it compares and writes in two steps."""
    lock, plain = threading.Lock(), S3Response.put_object

    def put_object(self: Any) -> Any:
        with lock:
            return plain(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Response, "put_object", put_object)
        yield


@pytest.fixture(scope="session")
def s3(aws_server: Any) -> Any:
    return client_of(aws_server.endpoint_url)


def client_of(url: str, **options: Any) -> Any:
    """Return a real S3 client of the server at a URL."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=2,
            read_timeout=options.get("read_timeout", 5),
        ),
    )


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"jobs-{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def make_settings(bucket: str) -> MakeSettings:
    def make(**values: Any) -> Settings:
        return Settings(
            **{
                "project_name": "fin-advisor",
                "environment": "test",
                "service_name": "runner",
                "api_gateway_url": "http://127.0.0.1:9/dev",
                "jobs_bucket_name": bucket,
                "enable_service_api_keys": False,
                **values,
            }
        )

    return make


@pytest.fixture
def faulty_s3(aws_server: Any) -> Iterator[FaultyS3]:
    proxy = FaultyS3(aws_server.endpoint_url)
    with proxy.serving():
        yield proxy
        proxy.released.set()


@pytest.fixture
def gateway() -> Iterator[Store]:
    """A gateway that requires `KEY`, with a document store behind it."""
    store = Store(KEY)
    with store.serving():
        yield store


@pytest.fixture
def environment(aws: Any, gateway: Store) -> dict[str, str]:
    """The environment of a process of the service, whose bucket, keys and secrets exist."""
    return create_surroundings(aws.environment, gateway)


@dataclass
class Runner:
    """Workers and their stores over one bucket."""

    s3: Any
    bucket: str
    make_settings: MakeSettings
    sink: FakeSink = field(default_factory=FakeSink)

    def __post_init__(self) -> None:
        self.jobs = S3JobStore(Bucket(self.bucket, lambda: self.s3))
        self.counts = S3PartCounts(Bucket(self.bucket, lambda: self.s3))

    def worker(self, *, s3: Any = None, sink: Any = None, **settings: Any) -> Worker:
        bucket = Bucket(self.bucket, lambda: s3 or self.s3)
        bounds: dict[str, Any] = {
            name: settings.pop(name) for name in ("now", "stopping") if name in settings
        }
        return Worker(
            self.make_settings(**settings),
            jobs=S3JobStore(bucket),
            uploads=S3Uploads(bucket),
            counts=S3PartCounts(bucket),
            sink=sink or self.sink,
            **bounds,
        )

    def upload(self, files: dict[str, bytes | str]) -> None:
        for key, body in files.items():
            content = body.encode() if isinstance(body, str) else body
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def job(self, files: dict[str, bytes | str], job_id: str | None = None) -> Job:
        """Upload files and create a job for them."""
        self.upload(files)
        items = [UploadItem(id=document_id(key), key=key, size=len(files[key])) for key in files]
        now = _utc_now()
        new = Job(
            id=job_id or f"job-{uuid.uuid4().hex}",
            fingerprint="f",
            items_key="",
            total=len(items),
            created_at=now,
            updated_at=now,
        )
        return self.jobs.create(new, dump_items(items)).job

    def load(self, job: Job) -> Job:
        return self.jobs.load(job.id).job


@pytest.fixture
def runner(s3: Any, bucket: str, make_settings: MakeSettings) -> Runner:
    return Runner(s3, bucket, make_settings)
