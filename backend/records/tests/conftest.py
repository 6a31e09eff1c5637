"""An embedded AWS with a locked bucket, both tables, and a chat service that records."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.config import Config
from fastapi import FastAPI

from chat.app import create_app
from chat.settings import Settings
from chat.tests.fakes import SAVE, FakeModel, FakeRetriever, passage
from shared.aws import clients
from shared.testing import app_client


@dataclass(frozen=True)
class Estate:
    """Names in the embedded AWS, and its clients."""

    bucket: str
    keys_table: str
    conversations_table: str
    s3: Any
    dynamodb: Any

    def app(
        self, *, release: str = "v7", model: FakeModel | None = None, savings: str = "savings"
    ) -> FastAPI:
        """Return a chat service that records here."""
        settings = Settings(
            project_name="fin-advisor",
            environment="test",
            service_name="chat",
            service_version=release,
            api_gateway_url="http://gateway.test/dev",
            chat_model_id="fake-model",
            conversations_table=self.conversations_table,
            records_bucket=self.bucket,
            record_keys_table=self.keys_table,
            records_required=True,
            enable_service_api_keys=False,
        )
        return create_app(
            settings,
            retriever=FakeRetriever(
                passage(0, version="v1", document_id=savings),
                passage(0, document_id="debt", passage_id="debt#0", text="Debt costs 20 percent."),
            ),
            model=model or FakeModel(f"{SAVE[:-1]} [savings#0]. Debt costs 12 percent [debt#0]."),
        )

    def client(self, **options: Any) -> httpx.AsyncClient:
        return app_client(self.app(**options))

    def record_keys(self) -> list[str]:
        """Return the keys of all records, in their order."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="records/")
        return [one["Key"] for one in listed.get("Contents", [])]


@pytest.fixture
def estate(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    without_proxy = Config(proxies={})
    s3 = boto3.client("s3", config=without_proxy)
    dynamodb = boto3.client("dynamodb", config=without_proxy)
    name = uuid4().hex
    s3.create_bucket(Bucket=f"records-{name}", ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket=f"records-{name}",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
        },
    )
    for table in ("keys", "conversations"):
        aws.create_table(f"{table}-{name}")
    monkeypatch.setenv("RECORDS_BUCKET", f"records-{name}")
    monkeypatch.setenv("RECORD_KEYS_TABLE", f"keys-{name}")
    monkeypatch.setenv("CONVERSATIONS_TABLE", f"conversations-{name}")
    # A test before this one may have had a client of another server.
    clients._client.cache_clear()
    clients._session.cache_clear()
    yield Estate(f"records-{name}", f"keys-{name}", f"conversations-{name}", s3, dynamodb)
    clients._client.cache_clear()
    clients._session.cache_clear()
