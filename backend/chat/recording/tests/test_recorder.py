"""Records are chains; a lost answer or a failure of the store leaves none that looks broken."""

import asyncio
import json
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from chat.answering import Answerer
from chat.boundary.advice import AdviceBoundary
from chat.boundary.policy import built_in_policy
from chat.history import Exchange
from chat.recording.evidence import Evidence, Question
from chat.recording.record import Release
from chat.recording.recorder import Recorder, RecordNotWritten, RecordStore, S3Records
from chat.relevance import RelevanceGate
from chat.tests.fakes import (
    SAVE,
    FakeModel,
    FakeRecordKeys,
    FakeRecords,
    FakeRetriever,
    passage,
)
from shared.aws.bucket import Bucket
from shared.errors import Unavailable

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
ASKED = "How much of my secret income do I save?"


def recorder(
    store: RecordStore, keys: FakeRecordKeys | None = None, *, required: bool = False
) -> Recorder:
    release = Release("v7", {"id": "fake-model"}, {"relevance_threshold": None})
    return Recorder(store, keys or FakeRecordKeys(), release, required=required, now=lambda: NOW)


def question(text: str = ASKED) -> Question:
    history = [Exchange("What is a bond?", "A loan.", True)]
    return Question("ab12", NOW, text, history, 5, None, caller="key-client")


async def recorded(one: Recorder, text: str = ASKED) -> str | None:
    answerer = Answerer(
        FakeRetriever(
            passage(0, version="v1"), passage(0, document_id="debt", passage_id="debt#0")
        ),
        FakeModel(f"{SAVE[:-1]} [savings#0]. It pays 12 percent [debt#0]."),
        gate=RelevanceGate(None),
        boundary=AdviceBoundary(built_in_policy(), country=None),
        disclosure="An AI wrote this.",
        history_tokens=100,
        today=lambda: date(2026, 11, 28),
    )
    evidence = Evidence()
    asked = question(text)
    answer = await answerer.answer(
        asked.text, asked.history, top_k=5, metadata_filter=None, evidence=evidence
    )
    return await one.record(asked, answer, evidence)


async def test_a_record_says_what_was_answered_and_hides_every_text() -> None:
    store, keys = FakeRecords(), FakeRecordKeys()
    key = await recorded(recorder(store, keys))
    assert key is not None
    assert key.startswith("records/2026/11/28/14/")
    assert key.endswith("-00000001.json")
    content = store.objects[key]
    for text in (b"income", b"Savings", b"bond", b"12 percent"):
        assert text not in content
    fields = json.loads(content)
    assert fields["key"] == key
    assert (fields["release"], fields["caller"], fields["conversation"]) == (
        "v7",
        "key-client",
        "ab12",
    )
    assert fields["verdict"]["status"] == "partial"
    assert fields["verdict"]["removed"] == ["number_not_in_source"]
    assert [one["document_id"] for one in fields["passages"]] == ["savings", "debt"]
    assert [one["document_version"] for one in fields["passages"]] == ["v1", None]
    assert set(keys.kept) == {"conversation#ab12", "document#savings", "document#debt"}


async def test_the_records_of_a_process_are_a_chain() -> None:
    store = FakeRecords()
    one = recorder(store)
    keys = await asyncio.gather(*(recorded(one) for _ in range(3)))
    links = [json.loads(store.objects[key or ""])["writer"] for key in keys]
    assert [link["sequence"] for link in links] == [1, 2, 3]
    assert len({link["writer_id"] for link in links}) == 1
    hashes = [sha256(store.objects[key or ""]).hexdigest() for key in keys]
    assert [link["previous"] for link in links] == [None, *hashes[:2]]


async def test_processes_have_chains_of_their_own() -> None:
    store = FakeRecords()
    await recorded(recorder(store))
    await recorded(recorder(store))
    links = [json.loads(one)["writer"] for one in store.objects.values()]
    assert [link["sequence"] for link in links] == [1, 1]
    assert len({link["writer_id"] for link in links}) == 2


@pytest.mark.parametrize("stored", [True, False])
async def test_after_a_failed_write_a_new_chain_begins(stored: bool) -> None:
    """Whether the failed one was stored is unknown, so no later record may depend on it."""
    store = FakeRecords()
    one = recorder(store)
    await recorded(one)
    store.failing, store.stored = Unavailable("no answer"), stored
    assert await recorded(one) is None
    await recorded(one)
    links = [json.loads(content)["writer"] for content in store.objects.values()]
    assert [link["sequence"] for link in links] == ([1, 2, 1] if stored else [1, 1])
    assert links[0]["writer_id"] != links[-1]["writer_id"]


async def test_an_answer_without_a_record_is_withheld_only_if_records_are_required() -> None:
    keys = FakeRecordKeys(failing=Unavailable("throttled"))
    assert await recorded(recorder(FakeRecords(), keys)) is None
    with pytest.raises(RecordNotWritten) as raised:
        await recorded(recorder(FakeRecords(), keys, required=True))
    assert (raised.value.status, raised.value.code) == (503, "record_not_written")
    assert raised.value.retry_after


async def test_an_unexpected_error_is_no_reason_to_lose_an_answer() -> None:
    store = FakeRecords()
    store.failing = RuntimeError("unexpected")
    assert await recorded(recorder(store)) is None


# --- The bucket -----------------------------------------------------------------------------------


@pytest.fixture
def s3(aws: Any) -> Any:
    return boto3.client("s3", config=Config(proxies={}))


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"records-{uuid4().hex}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


async def test_a_record_is_stored_once(s3: Any, bucket: str) -> None:
    """As after a lost answer, when botocore sends the request again."""
    store = S3Records(Bucket(bucket, lambda: s3))
    await store.put("records/one.json", b"first")
    await store.put("records/one.json", b"second")
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert len(versions) == 1
    assert s3.get_object(Bucket=bucket, Key="records/one.json")["Body"].read() == b"first"


async def test_a_write_in_progress_is_a_failure(s3: Any, bucket: str) -> None:
    class Busy:
        exceptions = s3.exceptions

        def put_object(self, **_: Any) -> None:
            answer = {"Error": {"Code": "ConditionalRequestConflict"}}
            raise s3.exceptions.ClientError(answer, "PutObject")

    busy: Any = Busy()
    with pytest.raises(Unavailable):
        await S3Records(Bucket(bucket, lambda: busy)).put("records/one.json", b"x")
