"""`remains` on buckets with versions, filled by the service's own stores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from erasure import remains
from erasure.documents import Wanted
from erasure.versions import Lifecycle, Version
from runner.items import InlineItem, UploadItem, dump_items
from runner.jobs import Job
from runner.store import S3JobStore
from s3vector.pool import Pool
from s3vector.s3_store import SEGMENTS, S3VectorStore
from s3vector.tests.fakes import DIMENSIONS, SPACE, document
from shared.aws import clients
from shared.aws.bucket import Bucket

_NONCURRENT_DAYS = 27
_NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Buckets:
    """The two buckets, with the lifecycle rules that Terraform gives them."""

    s3: Any
    vectors: str
    jobs: str

    def store(self) -> S3VectorStore:
        return S3VectorStore(
            Bucket(self.vectors, lambda: self.s3),
            space=SPACE,
            dimensions=DIMENSIONS,
            capacity_bytes=2**20,
            pool=Pool(1),
        )

    def job(self, job_id: str, *items: InlineItem | UploadItem) -> tuple[S3JobStore, Any]:
        store = S3JobStore(Bucket(self.jobs, lambda: self.s3))
        job = Job(
            id=job_id,
            fingerprint="f",
            items_key="",
            total=len(items),
            created_at=_NOW,
            updated_at=_NOW,
        )
        return store, store.create(job, dump_items(items))

    def remains(self, document_id: str) -> int:
        options = ["--vectors-bucket", self.vectors, "--jobs-bucket", self.jobs]
        return remains.main([document_id, *options])

    def delete_old_versions(self) -> None:
        """Do what the lifecycle rules do in the end."""
        for bucket in (self.vectors, self.jobs):
            listed = self.s3.list_object_versions(Bucket=bucket)
            for one in listed.get("Versions", []):
                if not one["IsLatest"]:
                    self.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


@pytest.fixture
def buckets(aws: Any) -> Iterator[Buckets]:
    s3 = boto3.client("s3", config=Config(proxies={}))
    names = [f"{kind}-{uuid4().hex}" for kind in ("vectors", "jobs")]
    expiring = {names[0]: {}, names[1]: {"jobs/state/": 30, "jobs/items/": 30}}
    for name in names:
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        old: Any = {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": _NONCURRENT_DAYS},
        }
        rules: list[Any] = [
            {
                "ID": prefix,
                "Status": "Enabled",
                "Filter": {"Prefix": prefix},
                "Expiration": {"Days": days},
            }
            for prefix, days in expiring[name].items()
        ]
        s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [old, *rules]}
        )
    # A test before this one may have had a client of another server.
    clients._client.cache_clear()
    clients._session.cache_clear()
    yield Buckets(s3, *names)
    clients._client.cache_clear()
    clients._session.cache_clear()


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return lines


def _in_days(days: int) -> set[str]:
    """The dates on which something ends that many days from now: the test may pass midnight."""
    return {f"{datetime.now(UTC) + timedelta(days=days + more):%Y-%m-%d}" for more in (0, 1)}


def _ends_in(line: str, days: int) -> bool:
    return any(f"gone on {day}" in line for day in _in_days(days))


def test_a_deleted_document_is_followed_until_nothing_is_left(
    buckets: Buckets, printed: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = buckets.store()
    store.put([document("gone", "the text"), document("kept")])
    assert buckets.remains("gone") == remains.LEFT
    stored, summary = printed()
    assert stored.endswith("the text of gone; stays (gone is stored: delete it first)")
    assert summary == "Versions left: 1, of which 1 stay as long as nothing is done."

    store.delete("gone")
    assert buckets.remains("gone") == remains.LEFT
    segment, tombstone = sorted(printed()[:-1], key=lambda line: "as deleted" in line)
    assert "the text of gone" in segment
    assert "s3vector erases it by" in segment
    # A day, up to an hour and a quarter until the next run, then as any old version.
    assert _ends_in(segment, 1 + _NONCURRENT_DAYS + 1)
    assert "the id, as deleted, of gone" in tombstone

    monkeypatch.setattr("s3vector.s3_store._ERASURE_AGE", timedelta(seconds=-60))
    store.erase()
    printed()  # the log
    assert buckets.remains("gone") == remains.LEFT
    old = printed()
    assert len(old) == 3
    assert all(_ends_in(line, _NONCURRENT_DAYS + 1) and "(" not in line for line in old[:-1])
    assert "of which 0 stay as long as nothing is done; the last of the others goes on" in old[-1]

    buckets.delete_old_versions()
    assert buckets.remains("gone") == 0
    assert printed() == ["Nothing is left of gone."]
    assert buckets.remains("kept") == remains.LEFT


def test_a_replaced_document_is_found_in_both_segments(
    buckets: Buckets, printed: Callable[[], list[str]]
) -> None:
    store = buckets.store()
    for text in ("first", "second"):
        store.put([document("changed", text)])
    buckets.remains("changed")
    advice = sorted(line.rpartition("(")[2] for line in printed()[:-1])
    assert advice[0] == "changed is stored: delete it first)"
    assert advice[1].startswith("s3vector erases it by")


def test_every_owner_and_every_part_is_found(
    buckets: Buckets, printed: Callable[[], list[str]]
) -> None:
    store = buckets.store()
    store.put([document(one) for one in ("u-1/report", "report:p2", "report2", "report:x", "q")])
    buckets.remains("report")
    [line, _] = printed()
    assert "the text of report:p2, u-1/report;" in line


def test_a_segment_that_nobody_committed_is_found(
    buckets: Buckets, printed: Callable[[], list[str]]
) -> None:
    store = buckets.store()
    store.put([document("gone")])
    [listed] = buckets.s3.list_objects_v2(Bucket=buckets.vectors, Prefix=SEGMENTS)["Contents"]
    copy = {"Bucket": buckets.vectors, "Key": listed["Key"]}
    buckets.s3.copy_object(Bucket=buckets.vectors, Key=f"{SEGMENTS}orphan.seg", CopySource=copy)
    buckets.remains("gone")
    [orphan] = [line for line in printed() if "orphan" in line]
    assert "s3vector erases it by" in orphan


def test_damaged_objects_are_named(buckets: Buckets, printed: Callable[[], list[str]]) -> None:
    for bucket, key in ((buckets.vectors, f"{SEGMENTS}x.seg"), (buckets.jobs, "jobs/state/x.json")):
        buckets.s3.put_object(Bucket=bucket, Key=key, Body=b"\xff{")
    assert buckets.remains("gone") == remains.LEFT
    assert [line.split()[0] for line in printed()[:-1]] == [
        f"{SEGMENTS}x.seg",
        "jobs/state/x.json",
    ]


def test_a_job_has_a_document_until_it_ends(
    buckets: Buckets, printed: Callable[[], list[str]]
) -> None:
    item = InlineItem(id="gone", kind="text", text="the text")
    upload = UploadItem(id="other", key="uploads/other", size=1)
    jobs, stored = buckets.job("job-1", item, upload)
    buckets.remains("gone")
    [line, _] = printed()
    assert "the document" in line
    assert "its job is open: cancel it, or wait until it ends" in line

    failed = stored.job.given_up("gone", now=_NOW)
    jobs.save(stored, failed.ended(now=_NOW))
    buckets.remains("gone")
    items, state = sorted(printed()[:-1])
    assert items.startswith("jobs/items/")
    assert _ends_in(items, _NONCURRENT_DAYS + 1)
    assert "the id, with the reason why it failed" in state
    assert _ends_in(state, 31 + _NONCURRENT_DAYS)


def test_uploads_and_counts_of_parts_are_found(
    buckets: Buckets, printed: Callable[[], list[str]]
) -> None:
    for key in ("uploads/gone", "uploads/gone2", "jobs/parts/gone", "jobs/parts/u-1/gone"):
        buckets.s3.put_object(Bucket=buckets.jobs, Key=key, Body=b"2")
    buckets.remains("gone")
    found = {line.split()[0]: line for line in printed()[:-1]}
    assert found.keys() == {"uploads/gone", "jobs/parts/gone", "jobs/parts/u-1/gone"}
    assert found["uploads/gone"].endswith("stays (it is your upload: delete the object)")


def test_a_bucket_that_does_not_exist_is_named(
    buckets: Buckets, capsys: pytest.CaptureFixture[str]
) -> None:
    assert remains.main(["gone", "--jobs-bucket", "no-such-bucket"]) == remains.AWS_FAILED
    assert "no-such-bucket" in capsys.readouterr().err


def test_a_bucket_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VECTOR_BUCKET_NAME", "JOBS_BUCKET_NAME"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit):
        remains.main(["gone"])


@pytest.mark.parametrize(
    ("rule", "ends"),
    [
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 27}}, "2026-03-29"),
        # S3 rounds up to the next midnight, and keeps the newest versions of a rule with a count.
        (
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 27, "NewerNoncurrentVersions": 1}},
            None,
        ),
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 27}, "Status": "Disabled"}, None),
        (
            {
                "NoncurrentVersionExpiration": {"NoncurrentDays": 27},
                "Filter": {"Prefix": "other/"},
            },
            None,
        ),
        ({"Expiration": {"ExpiredObjectDeleteMarker": True}}, None),
    ],
)
def test_an_old_version_ends_by_its_rule(rule: dict[str, Any], ends: str | None) -> None:
    replaced = datetime(2026, 3, 1, 10, tzinfo=UTC)
    version = Version("jobs/a", "1", replaced - timedelta(days=9), replaced)
    end = Lifecycle([{"Status": "Enabled", "Filter": {}, **rule}]).end_of(version)
    assert (end and f"{end:%Y-%m-%d}") == ends


def test_a_current_version_ends_after_both_rules() -> None:
    version = Version("jobs/a", "1", datetime(2026, 3, 1, tzinfo=UTC), None)
    rules = [
        {"Status": "Enabled", "Filter": {"Prefix": "jobs/"}, "Expiration": {"Days": 30}},
        {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
    ]
    assert Lifecycle(rules).end_of(version) == datetime(2026, 4, 1, tzinfo=UTC)


def test_an_id_that_begins_with_another_is_another_document() -> None:
    wanted = Wanted("a.b")
    assert [
        one
        for one in ("a.b", "u-1/a.b", "a.b:p12", "t-x/a.b:p2", "a.b:p", "a.b:px", "a-b", "xa.b")
        if wanted.matches(one)
    ] == ["a.b", "u-1/a.b", "a.b:p12", "t-x/a.b:p2"]
