"""The composition root: settings in, application out."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware

from runner.desk import Desk
from runner.documents import S3Uploads, Uploads
from runner.ingest import GatewayIngest, Ingest
from runner.jobs import JobStore
from runner.origin import OriginMiddleware, OriginSecret, SecretsManagerOrigin
from runner.parts import PartCounts, S3PartCounts
from runner.routes import router
from runner.settings import Settings
from runner.store import S3JobStore
from runner.work import Worker
from shared.api_client import ServiceAPIClient
from shared.app import create_service_app
from shared.aws.clients import aws_client

# App Runner's own proxy and the gateway each append to X-Forwarded-For.
_PROXIES = 2


def create_app(
    settings: Settings,
    *,
    jobs: JobStore | None = None,
    documents: Uploads | None = None,
    counts: PartCounts | None = None,
    ingest: Ingest | None = None,
    origin: OriginSecret | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> FastAPI:
    """Return the service; what is not given is made from the settings, when first used.

    Args:
        settings: The service's settings.
        jobs: Where jobs are kept.
        documents: Where uploaded documents are.
        counts: How many parts long documents have.
        ingest: Where documents go.
        origin: What the gateway shows, where `settings.origin_check` is on.
        stopping: Asked between the steps of a slice; where it is true the slice ends.
    """
    bucket = settings.jobs_bucket_name
    s3 = partial(aws_client, "s3", region=settings.aws_region)
    store = jobs or S3JobStore(bucket, s3)
    uploads = documents or S3Uploads(bucket, s3)
    app = create_service_app(
        settings,
        title="runner",
        description="Ingests many or large documents, in slices that any instance continues.",
        routers=[router],
        readiness_checks={"jobs_bucket": lambda: _read_one(store)},
        trusted_proxies=_PROXIES if settings.origin_check else 0,
    )
    if settings.origin_check:
        # Inside the logging and the errors, outside everything that reads a body.
        secret = origin or SecretsManagerOrigin(
            f"{settings.project_name}/{settings.environment}/runner/origin",
            partial(aws_client, "secretsmanager", region=settings.aws_region),
        )
        app.user_middleware.append(Middleware(OriginMiddleware, secret=secret))
    app.state.jobs = store
    app.state.desk = Desk(store, uploads, max_documents=settings.max_job_documents)
    app.state.worker = Worker(
        settings,
        jobs=store,
        uploads=uploads,
        counts=counts or S3PartCounts(bucket, s3),
        ingest=ingest or GatewayIngest(ServiceAPIClient(settings=settings)),
        stopping=stopping,
    )
    return app


def _read_one(store: JobStore) -> None:
    store.page(only_open=True, limit=1, after=None)
