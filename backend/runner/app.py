"""Builds the application of the runner from its parts."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from runner.incoming import Incoming
from runner.job_manager import JobManager
from runner.jobs import JobStore
from runner.origin import OriginMiddleware, OriginSecret, SecretsManagerOrigin
from runner.parts import PartCounts, S3PartCounts
from runner.routes import router
from runner.settings import Settings
from runner.sink import DocumentSink, GatewaySink
from runner.store import S3JobStore
from runner.uploads import S3Uploads, Uploads
from runner.worker import Worker
from shared.access import KeyNames, event_key_id, header_key_id
from shared.api_client import ServiceAPIClient
from shared.app import create_service_app
from shared.aws.bucket import Bucket
from shared.aws.clients import aws_client

# App Runner's proxy appends an address to X-Forwarded-For, and the gateway another one. The
# service's public URL goes around the gateway.
_PROXIES = 1


def create_app(
    settings: Settings,
    *,
    jobs: JobStore | None = None,
    uploads: Uploads | None = None,
    counts: PartCounts | None = None,
    sink: DocumentSink | None = None,
    origin: OriginSecret | None = None,
    key_names: KeyNames | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """Return the application.

    Args:
        settings: The service's settings.
        jobs: The store of jobs; by default in the bucket, like `uploads` and `counts`.
        uploads: The uploaded documents.
        counts: How many parts documents have.
        sink: Where documents are stored; by default s3vector, through the gateway.
        origin: The secret that the gateway sends, used if `settings.origin_check` is on; by
            default in Secrets Manager.
        key_names: The names of API keys; by default in SSM.
        stopping: Called between the steps of a slice; the slice ends if it returns True.
    """
    # The origin is checked before the host, and both before the body is read. `TrustedHost` refuses
    # in plain text; only a call of `/health`, which needs no origin secret, can get that far.
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts, www_redirect=False)
    ]
    if settings.origin_check:
        secret = origin or SecretsManagerOrigin(
            f"{settings.project_name}/{settings.environment}/runner/origin",
            partial(aws_client, "secretsmanager", region=settings.aws_region),
        )
        middleware.insert(0, Middleware(OriginMiddleware, secret=secret))
    bucket = Bucket(
        settings.jobs_bucket_name, partial(aws_client, "s3", region=settings.aws_region)
    )
    jobs = jobs or S3JobStore(bucket)
    uploads = uploads or S3Uploads(bucket)
    app = create_service_app(
        settings,
        title="runner",
        description="Ingests many or large documents, in slices that any instance can continue.",
        routers=[router],
        readiness_checks={"jobs_bucket": partial(_check_storage, jobs)},
        trusted_proxies=_PROXIES if settings.origin_check else 0,
        middleware=middleware,
        key_names=key_names,
        # A request with the origin secret came through the gateway, which replaces this header.
        key_id=header_key_id if settings.origin_check else event_key_id,
    )
    app.state.incoming = Incoming(
        uploads,
        max_bytes=settings.max_document_bytes,
        url_seconds=settings.upload_url_seconds,
    )
    app.state.job_manager = JobManager(
        jobs, uploads, app.state.incoming, max_documents=settings.max_job_documents
    )
    app.state.worker = Worker(
        settings,
        jobs=jobs,
        uploads=uploads,
        counts=counts or S3PartCounts(bucket),
        sink=sink or GatewaySink(ServiceAPIClient(settings=settings)),
        stopping=stopping,
    )
    return app


def _check_storage(jobs: JobStore) -> None:
    jobs.page(only_open=True, limit=1, after=None)
