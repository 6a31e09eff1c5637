"""What was deleted, emptied or overwritten in a bucket is as it was at a point in time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy import restore
from deploy.program import Refused
from deploy.restoration import bucket as buckets
from local.aws.server import EmbeddedAws, boto3_client
from local.blueprint import ACCOUNT_ID, REGION

MANIFEST = "documents/manifest.json"
SEGMENTS = [f"documents/segments/{number}" for number in range(5)]


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    embedded = EmbeddedAws()
    embedded.serve()
    try:
        yield embedded
    finally:
        embedded.stop()


@pytest.fixture(scope="module")
def clients(aws: EmbeddedAws) -> dict[str, Any]:
    return {name: boto3_client(name, endpoint_url=aws.url, region=REGION) for name in ("s3", "sts")}


@pytest.fixture
def s3(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(restore, "client", lambda service, region: clients[service])
    return clients["s3"]


def _new_bucket(s3: Any, kind: str) -> Iterator[str]:
    name = f"fin-advisor-test-{kind}-{ACCOUNT_ID}-{REGION}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield name
    for one in _versions(s3, name):
        s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def vectors(s3: Any) -> Iterator[str]:
    """A bucket as the store leaves it: segments that are written once, then their manifest."""
    for bucket in _new_bucket(s3, "vectors"):
        for segment in SEGMENTS:
            s3.put_object(Bucket=bucket, Key=segment, Body=segment.encode())
        _next_second()
        s3.put_object(Bucket=bucket, Key=MANIFEST, Body=b"lists 5")
        yield bucket


@pytest.fixture
def records(s3: Any) -> Iterator[str]:
    yield from _new_bucket(s3, "records")


def _next_second() -> datetime:
    """Wait for S3's clock, which counts seconds; return the last moment of the second before."""
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.02)
    return datetime.fromtimestamp(began, UTC) + timedelta(milliseconds=999)


def _versions(s3: Any, bucket: str) -> list[Any]:
    listed = s3.get_paginator("list_object_versions").paginate(Bucket=bucket).build_full_result()
    return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]


def _content(s3: Any, bucket: str) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {
        one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed
    }


def _empty(s3: Any, bucket: str) -> None:
    for key in _content(s3, bucket):
        s3.delete_object(Bucket=bucket, Key=key)


def _run(at: datetime, *options: str, name: str = "vectors") -> None:
    restore.main(
        ["--environment", "test", "bucket", name, "--at", at.isoformat(), "--yes", *options]
    )


def test_an_emptied_bucket_has_every_object_again_with_its_own_version(
    s3: Any, vectors: str
) -> None:
    before, versions = _content(s3, vectors), _versions(s3, vectors)
    at = _next_second()
    _empty(s3, vectors)
    assert _content(s3, vectors) == {}
    _run(at)
    assert _content(s3, vectors) == before
    assert _versions(s3, vectors) == versions  # no copy, and no trace of the deletion


def test_overwritten_objects_come_back_and_what_was_written_later_stays_as_a_version(
    s3: Any, vectors: str
) -> None:
    before = _content(s3, vectors)
    at = _next_second()
    s3.put_object(Bucket=vectors, Key="documents/segments/5", Body=b"new")
    s3.put_object(Bucket=vectors, Key=MANIFEST, Body=b"lists 6")
    s3.put_object(Bucket=vectors, Key=SEGMENTS[0], Body=b"damaged")
    s3.delete_object(Bucket=vectors, Key=SEGMENTS[1])
    later, lost = _next_second(), _content(s3, vectors)
    _run(at)
    assert _content(s3, vectors) == before
    bodies = {
        s3.get_object(Bucket=vectors, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
        for one in s3.list_object_versions(Bucket=vectors)["Versions"]
    }
    assert {b"new", b"lists 6", b"damaged"} <= bodies
    # So a restore can be undone by another. Only the deletion was forgotten.
    _run(later)
    assert _content(s3, vectors) == lost | {SEGMENTS[1]: SEGMENTS[1].encode()}


def test_a_second_run_does_nothing(
    s3: Any, vectors: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at = _next_second()
    s3.put_object(Bucket=vectors, Key=MANIFEST, Body=b"lists 6")
    s3.put_object(Bucket=vectors, Key="documents/segments/5", Body=b"new")
    _run(at)
    assert "1 copied, 1 deleted" in capsys.readouterr().out
    versions = _versions(s3, vectors)
    _run(at)
    assert "nothing to do" in capsys.readouterr().out
    assert _versions(s3, vectors) == versions


def test_an_upload_in_parts_is_copied_once_and_keeps_its_type(s3: Any, vectors: str) -> None:
    """Its ETag is no hash of its content, so a copy cannot be recognised by the ETag."""
    target = {"Bucket": vectors, "Key": "uploads/large.pdf"}
    upload = s3.create_multipart_upload(**target, ContentType="application/pdf")["UploadId"]
    parts = []
    for number, body in enumerate((b"a" * 5 * 2**20, b"b"), start=1):
        sent = s3.upload_part(**target, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})
    at = _next_second()
    s3.put_object(**target, Body=b"overwritten")
    _run(at)
    read = s3.get_object(**target)
    assert (read["ContentLength"], read["ContentType"]) == (5 * 2**20 + 1, "application/pdf")
    versions = _versions(s3, vectors)
    _run(at)
    assert _versions(s3, vectors) == versions


def test_a_manifest_comes_back_after_the_segments_that_it_lists(s3: Any, vectors: str) -> None:
    at = _next_second()
    s3.put_object(Bucket=vectors, Key="documents/segments/5", Body=b"new")
    _empty(s3, vectors)
    s3.put_object(Bucket=vectors, Key="documents/segments/6", Body=b"new")
    planned = buckets.changes(s3, vectors, at, "", 100)
    assert [one.key for one in planned] == [*SEGMENTS, MANIFEST, "documents/segments/6"]


def test_an_interrupted_restore_is_continued(
    s3: Any, vectors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _content(s3, vectors)
    at = _next_second()
    _empty(s3, vectors)
    real = buckets._apply
    calls: list[Any] = []

    def interrupted(*arguments: Any) -> None:
        if len(calls) == 2:
            error = {"Error": {"Code": "PreconditionFailed", "Message": ""}}
            raise ClientError(error, "CopyObject")  # type: ignore[arg-type]
        calls.append(arguments)
        real(*arguments)

    monkeypatch.setattr(buckets, "_apply", interrupted)
    with pytest.raises(Refused, match=r"2 objects .* but not documents/segments/2: it was written"):
        _run(at)
    monkeypatch.setattr(buckets, "_apply", real)
    assert len(_content(s3, vectors)) == 2
    _run(at)
    assert _content(s3, vectors) == before


def test_only_a_prefix_is_restored(s3: Any, vectors: str) -> None:
    at = _next_second()
    _empty(s3, vectors)
    _run(at, "--prefix", "documents/segments/1")
    assert list(_content(s3, vectors)) == [SEGMENTS[1]]


def test_nothing_changes_without_consent(
    s3: Any, vectors: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = _next_second()
    _empty(s3, vectors)
    s3.put_object(Bucket=vectors, Key="documents/segments/5", Body=b"new")
    s3.put_object(Bucket=vectors, Key=SEGMENTS[4], Body=b"damaged")
    lost = _content(s3, vectors)
    _run(at, "--dry-run")
    printed = capsys.readouterr().out
    assert f"{SEGMENTS[0]}: would be undeleted" in printed
    assert f"{SEGMENTS[4]}: would become version" in printed
    assert "documents/segments/5: would be deleted; it was written later and stays" in printed
    assert "would restore 7 objects" in printed
    command = ["--environment", "test", "bucket", "vectors", "--at", at.isoformat()]
    with pytest.raises(Refused, match=r"Nothing was changed\. Give --yes"):
        restore.main(command)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    with pytest.raises(Refused, match="nothing was changed"):
        restore.main(command)
    assert _content(s3, vectors) == lost
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    restore.main(command)
    assert len(_content(s3, vectors)) == 6


def test_more_objects_than_the_limit_are_refused(s3: Any, vectors: str) -> None:
    at = _next_second()
    _empty(s3, vectors)
    with pytest.raises(Refused, match="more than 5 objects"):
        _run(at, "--limit", "5")
    _run(at, "--limit", "6")


def test_a_time_whose_versions_were_deleted_is_refused(s3: Any, vectors: str) -> None:
    """Otherwise objects that were there would seem to be new, and would be deleted."""
    s3.put_bucket_lifecycle_configuration(
        Bucket=vectors,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old-versions",
                    "Status": "Enabled",
                    "Filter": {},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                }
            ]
        },
    )
    with pytest.raises(Refused, match="deleted versions for 30 days"):
        _run(datetime.now(UTC) - timedelta(days=31))


def test_of_records_only_deleted_ones_come_back(s3: Any, records: str) -> None:
    """A record that was written after the point in time is no mistake."""
    s3.put_object(Bucket=records, Key="records/one", Body=b"1")
    at = _next_second()
    s3.delete_object(Bucket=records, Key="records/one")
    s3.put_object(Bucket=records, Key="records/two", Body=b"2")
    _run(at, name="records")
    assert _content(s3, records) == {"records/one": b"1", "records/two": b"2"}
    assert len(_versions(s3, records)) == 2


def test_every_page_of_versions_is_read(s3: Any, vectors: str) -> None:
    """A key whose versions are on two pages has one history."""
    before = _content(s3, vectors)
    at = _next_second()
    for number in range(7):
        s3.put_object(Bucket=vectors, Key=SEGMENTS[2], Body=str(number).encode())
    _empty(s3, vectors)
    pages: list[int] = []

    def small(params: dict[str, Any], **_: Any) -> None:
        params["MaxKeys"] = 3
        pages.append(1)

    event = "before-parameter-build.s3.ListObjectVersions"
    s3.meta.events.register(event, small)
    planned = buckets.changes(s3, vectors, at, "", 100)
    s3.meta.events.unregister(event, small)
    assert len(pages) > 5
    buckets.restore(s3, vectors, planned)
    assert _content(s3, vectors) == before


def test_a_bucket_that_is_gone_or_keeps_no_versions_is_explained(s3: Any) -> None:
    with pytest.raises(Refused, match=r"does not exist, .* docs/restore\.md"):
        _run(datetime.now(UTC), name="jobs")
    name = f"fin-advisor-test-jobs-{ACCOUNT_ID}-{REGION}"
    s3.create_bucket(Bucket=name)
    try:
        with pytest.raises(Refused, match="keeps no versions"):
            _run(datetime.now(UTC), name="jobs")
    finally:
        s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize(
    ("at", "error"),
    [
        ("yesterday", "write a time with its zone"),
        ("2026-11-28T09:00:00", "write a time with its zone"),
        ("2999-01-01T00:00:00Z", "has not come yet"),
    ],
)
def test_a_wrong_time_is_refused(at: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        restore.main(["--environment", "test", "state", "--at", at])
    assert error in capsys.readouterr().err
