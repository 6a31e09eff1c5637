"""The `s3` store under concurrent writers, faults of S3, damage and growth."""

import multiprocessing
import random
import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from s3vector.compaction import Limits
from s3vector.pool import Pool
from s3vector.s3_store import MANIFEST, PENDING, SEGMENTS, S3VectorStore
from s3vector.segments import CorruptObject
from s3vector.store import Erasure
from s3vector.tests.cloud import REGION, Cloud, fails_with
from s3vector.tests.fakes import DIMENSIONS, SPACE, document, hashed_vector
from shared.aws.bucket import Bucket
from shared.errors import (
    BadDependency,
    CapacityExceeded,
    Conflict,
    DeadlineExceeded,
    ServiceError,
    Unavailable,
)
from shared.request import deadline

type Factory = Callable[..., S3VectorStore]

_EAGER = Limits(max_segment_bytes=64 * 1024, fanout=3)


def _ids(store: S3VectorStore) -> set[str]:
    return {record.id for record in store.page(1000, None).records}


def _segment_keys(s3: Any, bucket: str) -> list[str]:
    answer = s3.list_objects_v2(Bucket=bucket, Prefix=SEGMENTS)
    return [one["Key"] for one in answer.get("Contents", [])]


def test_writers_in_threads_lose_nothing(new_s3_store: Factory) -> None:
    """Each thread acts as a separate instance; compactions run at the same time."""
    errors: list[Exception] = []

    def write(number: int) -> None:
        store = new_s3_store(limits=_EAGER)
        try:
            for turn in range(6):
                store.put([document(f"w{number}-{turn}", f"word{number} turn{turn}")])
                if turn == 3:
                    store.delete(f"w{number}-0")
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert errors == []
    reader = new_s3_store()
    assert _ids(reader) == {f"w{n}-{turn}" for n in range(6) for turn in range(1, 6)}
    hits = reader.query(hashed_vector("word3 turn4"), 1, None)
    assert hits[0].document_id == "w3-4"


def _write_in_process(endpoint_url: str, bucket: str, number: int, count: int) -> None:
    import boto3

    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    store = S3VectorStore(
        Bucket(bucket, lambda: client),
        space=SPACE,
        dimensions=DIMENSIONS,
        capacity_bytes=2**20,
        pool=Pool(4),
        limits=_EAGER,
    )
    for turn in range(count):
        store.put([document(f"p{number}-{turn}")])


def test_writers_in_processes_lose_nothing(
    cloud: Cloud, bucket_name: str, new_s3_store: Factory
) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_write_in_process, args=(cloud.endpoint_url, bucket_name, n, 5))
        for n in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert _ids(new_s3_store()) == {f"p{n}-{turn}" for n in range(3) for turn in range(5)}


@pytest.mark.parametrize("first", [True, False])
def test_a_commit_that_landed_but_was_answered_500_counts_once(
    cloud: Cloud, new_s3_store: Factory, first: bool
) -> None:
    """The client retries the write, and S3 answers 412 to the retry."""
    store = new_s3_store()
    if not first:
        store.put([document("before")])

    with cloud.fault("PUT", MANIFEST, cloud.landed_but_failed) as fault:
        store.put([document("a", "alpha")])

    assert fault.seen == 1
    assert _ids(new_s3_store()) == ({"a"} if first else {"a", "before"})
    assert store.stats().segments == (1 if first else 2)


def test_a_landed_commit_is_recognised_under_later_commits(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    """Between the write and the read that looks for it, another writer commits on top of it."""
    store, other = new_s3_store(), new_s3_store()
    store.put([document("before")])

    def landed_then_overtaken(request: Any, serve: Callable[[], Any]) -> Any:
        answer = cloud.landed_but_failed(request, serve)
        other.put([document("other")])
        return answer

    with cloud.fault("PUT", MANIFEST, landed_then_overtaken):
        store.put([document("a")])

    assert _ids(new_s3_store()) == {"before", "a", "other"}
    assert new_s3_store().stats().segments == 3


@pytest.mark.parametrize("first", [True, False])
def test_a_writer_that_was_overtaken_builds_on_the_newer_manifest(
    cloud: Cloud, new_s3_store: Factory, first: bool
) -> None:
    """Another writer commits between this one's read of the manifest and its write."""
    store, other = new_s3_store(), new_s3_store()
    if not first:
        store.put([document("before")])

    def overtaken(_request: Any, serve: Callable[[], Any]) -> Any:
        other.put([document("other")])
        return serve()

    with cloud.fault("PUT", MANIFEST, overtaken):
        store.put([document("a")])

    assert _ids(new_s3_store()) == {"a", "other"} | (set() if first else {"before"})


def test_a_commit_that_never_gets_an_answer_is_found_to_have_landed(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    store = new_s3_store()
    with cloud.fault("PUT", MANIFEST, cloud.landed_but_failed, times=3):
        store.put([document("a")])
    assert _ids(new_s3_store()) == {"a"}


def test_a_conflict_with_a_write_in_progress_is_retried(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    store = new_s3_store()
    conflict = fails_with(409, "ConditionalRequestConflict")
    with cloud.fault("PUT", MANIFEST, conflict, times=3) as fault:
        store.put([document("a")])
    assert fault.seen == 3
    assert _ids(new_s3_store()) == {"a"}


def test_endless_conflicts_end_in_an_error_that_says_to_try_again(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    store = new_s3_store()
    store.put([document("before")])
    with (
        cloud.fault("PUT", MANIFEST, fails_with(412, "PreconditionFailed"), times=10_000),
        deadline.scope(time.time() + 1.5),
        pytest.raises((Unavailable, DeadlineExceeded)),
    ):
        store.put([document("a")])
    assert _ids(new_s3_store()) == {"before"}


@pytest.mark.parametrize("key", [MANIFEST, SEGMENTS])
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (503, "SlowDown", Unavailable),
        (500, "InternalError", Unavailable),
        (403, "AccessDenied", BadDependency),
    ],
)
def test_a_refused_write_changes_nothing(
    cloud: Cloud,
    new_s3_store: Factory,
    *,
    key: str,
    status: int,
    code: str,
    error: type[ServiceError],
) -> None:
    store = new_s3_store(client=cloud.client("s3", attempts=1))
    store.put([document("before", "before")])
    with cloud.fault("PUT", key, fails_with(status, code), times=100), pytest.raises(error):
        store.put([document("a"), document("before", "after")])
    reader = new_s3_store()
    assert _ids(reader) == {"before"}
    assert [one.text for one in reader.get(["before"])["before"].passages] == ["before"]
    store.put([document("a")])
    assert _ids(store) == {"before", "a"}


def test_throttling_is_retried_before_it_becomes_an_error(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    store = new_s3_store(client=cloud.client("s3"))
    with cloud.fault("PUT", SEGMENTS, fails_with(503, "SlowDown")) as fault:
        store.put([document("a")])
    assert fault.seen == 1
    assert _ids(store) == {"a"}


def test_the_error_of_a_throttle_says_when_to_try_again(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    store = new_s3_store(client=cloud.client("s3", attempts=1))
    with (
        cloud.fault("GET", MANIFEST, fails_with(503, "SlowDown"), times=100),
        pytest.raises(Unavailable) as caught,
    ):
        store.query(hashed_vector("a"), 1, None)
    assert caught.value.retry_after


def test_an_s3_that_hangs_is_abandoned(cloud: Cloud, new_s3_store: Factory) -> None:
    store = new_s3_store(client=cloud.client("s3", read_timeout=0.3, attempts=1))
    with (
        cloud.fault("GET", MANIFEST, cloud.hang, times=100) as fault,
        pytest.raises(Unavailable),
    ):
        store.query(hashed_vector("a"), 1, None)
    assert fault.seen == 1


# Reading


def test_an_unchanged_store_is_not_fetched_again(
    cloud: Cloud, bucket_name: str, new_s3_store: Factory
) -> None:
    new_s3_store().put([document("a")])
    store = new_s3_store()
    store.query(hashed_vector("a"), 1, None)
    before = len(cloud.calls(bucket_name))

    for _ in range(5):
        store.query(hashed_vector("a"), 1, None)

    calls = cloud.calls(bucket_name)[before:]
    assert [method for method, _ in calls] == ["GET"] * 5
    assert all(path.endswith(MANIFEST) for _, path in calls)


def test_only_new_segments_are_fetched(
    cloud: Cloud, bucket_name: str, new_s3_store: Factory
) -> None:
    writer, reader = new_s3_store(), new_s3_store()
    writer.put([document("a")])
    _ids(reader)
    writer.put([document("b")])
    before = len(cloud.calls(bucket_name))

    assert _ids(reader) == {"a", "b"}

    fetched = [path for _, path in cloud.calls(bucket_name)[before:] if SEGMENTS in path]
    assert len(fetched) == 1


def test_a_writer_does_not_fetch_its_own_segment(
    cloud: Cloud, bucket_name: str, new_s3_store: Factory
) -> None:
    store = new_s3_store()
    store.put([document("a")])
    assert _ids(store) == {"a"}
    assert "GET" not in {method for method, path in cloud.calls(bucket_name) if SEGMENTS in path}


def test_a_write_fetches_no_segments_that_others_wrote(
    cloud: Cloud, bucket_name: str, new_s3_store: Factory
) -> None:
    writer = new_s3_store()
    for number in range(3):
        new_s3_store().put([document(f"d{number}")])
    before = len(cloud.calls(bucket_name))

    assert writer.get(["new"]) == {}
    writer.put([document("new")])

    calls = [(method, path) for method, path in cloud.calls(bucket_name)[before:]]
    assert [method for method, _ in calls] == ["GET", "PUT", "PUT"]
    assert writer.get(["d1"]).keys() == {"d1"}


def test_a_writer_that_was_overtaken_is_committed_by_another(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    """Both were overtaken; one has offered its document when the other commits."""
    store, other, third = new_s3_store(), new_s3_store(), new_s3_store()
    store.put([document("first")])
    _ids(other)
    third.put([document("third")])  # overtakes both

    def other_commits(_request: Any, serve: Callable[[], Any]) -> Any:
        answer = serve()
        other.put([document("other")])
        return answer

    before = len(cloud.calls(MANIFEST))
    with cloud.fault("PUT", PENDING, other_commits):
        store.put([document("store")])

    # The failed attempts of both, and one commit of both documents.
    methods = [method for method, _ in cloud.calls(MANIFEST)[before:]]
    assert methods.count("PUT") == 3
    assert _ids(new_s3_store()) == {"first", "third", "other", "store"}
    assert new_s3_store().stats().segments == 4


def test_a_writer_without_room_is_not_committed_by_another(
    cloud: Cloud, s3: Any, bucket_name: str, new_s3_store: Factory
) -> None:
    """There is room for the offered document or for the other writer's, not for both."""
    store, other, third = (new_s3_store(capacity_bytes=4_000) for _ in range(3))
    store.put([document("first")])
    _ids(other)
    third.put([document("third")])

    def other_commits(_request: Any, serve: Callable[[], Any]) -> Any:
        answer = serve()
        other.put([document("other", "x" * 1_800)])
        return answer

    with cloud.fault("PUT", PENDING, other_commits), pytest.raises(CapacityExceeded) as refused:
        store.put([document("store", "x" * 1_800)])
    assert "Another writer may still store it" in refused.value.detail
    assert "Nothing was stored" not in refused.value.detail

    assert _ids(new_s3_store()) == {"first", "third", "other"}
    # A writer that has read the offer may still commit it, so its segment stays for an hour.
    assert len(_segment_keys(s3, bucket_name)) == 4


def test_a_reader_that_meets_a_compaction_reads_again(
    cloud: Cloud, bucket_name: str, s3: Any, new_s3_store: Factory
) -> None:
    """The segments that its manifest lists are deleted before it has fetched them."""
    writer = new_s3_store(limits=Limits(fanout=100))
    for number in range(4):
        writer.put([document(f"d{number}")])
    old = s3.get_object(Bucket=bucket_name, Key=MANIFEST)["Body"].read()
    compactor = new_s3_store(limits=_EAGER)
    compactor.put([document("last")])
    assert compactor.stats().segments == 1

    def stale(_request: Any, _serve: Callable[[], Any]) -> Any:
        from werkzeug.wrappers import Response

        return Response(old, 200, headers={"ETag": '"stale"'})

    with cloud.fault("GET", MANIFEST, stale) as fault:
        assert _ids(new_s3_store()) == {"d0", "d1", "d2", "d3", "last"}
    assert fault.seen == 1


# Damage


def _damage(s3: Any, bucket: str, key: str, change: Callable[[bytes], bytes]) -> bytes:
    before: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=change(before))
    return before


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:40] + b"\xff" + data[41:],
        lambda data: data[:-5] + b"XXXXX",
        lambda data: b"<html>not a segment</html>",
    ],
    ids=["empty", "cut", "longer", "header", "text", "other"],
)
def test_a_damaged_segment_is_named_and_nothing_is_lost(
    s3: Any, bucket_name: str, new_s3_store: Factory, change: Callable[[bytes], bytes]
) -> None:
    new_s3_store().put([document("a", "alpha")])
    key = _segment_keys(s3, bucket_name)[0]
    new_s3_store().put([document("b", "beta")])
    before = _damage(s3, bucket_name, key, change)
    store = new_s3_store()

    for use in (
        lambda: store.query(hashed_vector("alpha"), 5, None),
        lambda: store.page(10, None),
        lambda: store.get(["a"]),
        lambda: store.delete("a"),
    ):
        with pytest.raises(CorruptObject, match=key):
            use()
    # What the segment certainly does not contain can still be read and written.
    assert store.get(["b"]).keys() == {"b"}
    store.put([document("c")])

    s3.put_object(Bucket=bucket_name, Key=key, Body=before)
    assert _ids(store) == {"a", "b", "c"}


def test_a_lost_segment_is_named(s3: Any, bucket_name: str, new_s3_store: Factory) -> None:
    new_s3_store().put([document("a")])
    key = _segment_keys(s3, bucket_name)[0]
    s3.delete_object(Bucket=bucket_name, Key=key)
    with pytest.raises(CorruptObject, match=key):
        new_s3_store().get(["a"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"format": 99}',
        b'{"format": 1, "space": "x", "dimensions": "many"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_named_and_not_overwritten(
    s3: Any, bucket_name: str, new_s3_store: Factory, content: bytes
) -> None:
    store = new_s3_store()
    store.put([document("a")])
    before = _damage(s3, bucket_name, MANIFEST, lambda _: content)

    with pytest.raises(CorruptObject, match=MANIFEST):
        new_s3_store().get(["a"])
    with pytest.raises(CorruptObject, match=MANIFEST):
        store.put([document("b")])

    assert s3.get_object(Bucket=bucket_name, Key=MANIFEST)["Body"].read() == content
    s3.put_object(Bucket=bucket_name, Key=MANIFEST, Body=before)
    assert _ids(store) == {"a"}


def test_a_store_of_another_dimension_is_not_mixed(new_s3_store: Factory) -> None:
    new_s3_store().put([document("a")])
    other = new_s3_store(space="fake-model/64", dimensions=64)
    with pytest.raises(Conflict, match="EMBEDDING_DIMENSIONS"):
        other.get(["a"])
    with pytest.raises(Conflict):
        other.delete("a")


def test_a_bucket_that_does_not_exist_is_named(s3: Any) -> None:
    store = S3VectorStore(
        Bucket("no-such-bucket-here", lambda: s3),
        space=SPACE,
        dimensions=DIMENSIONS,
        capacity_bytes=2**20,
        pool=Pool(1),
    )
    with pytest.raises(BadDependency, match="no-such-bucket-here"):
        store.check()
    with pytest.raises(BadDependency, match="no-such-bucket-here"):
        store.put([document("a")])


# Growth


def test_many_small_writes_keep_few_segments(
    s3: Any, bucket_name: str, new_s3_store: Factory
) -> None:
    store = new_s3_store(limits=_EAGER)
    rng = random.Random(7)
    expected: dict[str, str] = {}
    for turn in range(60):
        document_id = f"d{rng.randrange(12)}"
        if rng.random() < 0.25:
            assert store.delete(document_id) is (expected.pop(document_id, None) is not None)
        else:
            store.put([document(document_id, f"text{turn}")])
            expected[document_id] = f"text{turn}"
        assert len(_segment_keys(s3, bucket_name)) <= 2 * _EAGER.fanout

    reader = new_s3_store()
    held = reader.get([f"d{number}" for number in range(12)])
    assert {one: held[one].passages[0].text for one in held} == expected


def test_merged_tombstones_still_hide_documents_of_older_segments(
    s3: Any, bucket_name: str, new_s3_store: Factory
) -> None:
    limits = Limits(max_segment_bytes=6 * 1024, fanout=3)
    store = new_s3_store(limits=limits)
    store.put([document(f"old{number}", "x" * 300) for number in range(10)])
    store.delete("old0")
    store.delete("old1")
    store.put([document("old2", "new")])

    assert len(_segment_keys(s3, bucket_name)) == 2
    assert _ids(new_s3_store()) == {f"old{number}" for number in range(2, 10)}
    assert new_s3_store().get(["old2"])["old2"].passages[0].text == "new"
    store.put([document("old1", "again")])
    assert _ids(new_s3_store()) == {f"old{number}" for number in range(1, 10)}


def test_a_compaction_that_fails_does_not_fail_the_write(
    cloud: Cloud, s3: Any, bucket_name: str, new_s3_store: Factory
) -> None:
    store = new_s3_store(client=cloud.client("s3", attempts=1), limits=_EAGER)
    for number in range(2):
        store.put([document(f"d{number}")])
    before = len(_segment_keys(s3, bucket_name))

    def refuse_the_second(request: Any, serve: Callable[[], Any]) -> Any:
        # The write's own segment and commit pass; the merged segment does not.
        if fault.seen == 2:
            return fails_with(503, "SlowDown")(request, serve)
        return serve()

    with cloud.fault("PUT", SEGMENTS, refuse_the_second, times=2) as fault:
        store.put([document("d2")])
    assert fault.seen == 2
    assert _ids(new_s3_store()) == {"d0", "d1", "d2"}
    assert len(_segment_keys(s3, bucket_name)) == before + 1


def test_a_compaction_whose_commit_landed_behind_an_error_loses_nothing(
    cloud: Cloud, new_s3_store: Factory
) -> None:
    store = new_s3_store(limits=_EAGER)
    for number in range(2):
        store.put([document(f"d{number}")])
    calls = 0

    def second_lands_unseen(request: Any, serve: Callable[[], Any]) -> Any:
        nonlocal calls
        calls += 1
        return serve() if calls == 1 else cloud.landed_but_failed(request, serve)

    with cloud.fault("PUT", MANIFEST, second_lands_unseen, times=2):
        store.put([document("d2")])
    assert _ids(new_s3_store()) == {"d0", "d1", "d2"}
    assert new_s3_store().stats().segments == 1


@pytest.mark.parametrize(("created", "removed"), [("2020", True), ("2099", False)])
def test_old_uncommitted_segments_are_removed(
    s3: Any,
    bucket_name: str,
    new_s3_store: Factory,
    monkeypatch: pytest.MonkeyPatch,
    *,
    created: str,
    removed: bool,
) -> None:
    """Segments older than the manifest are kept: a deleted manifest may have listed them."""
    monkeypatch.setattr("s3vector.s3_store._ORPHAN_AGE", timedelta(seconds=-60))
    store = new_s3_store(limits=_EAGER)
    store.put([document("first")])
    _damage(
        s3,
        bucket_name,
        MANIFEST,
        lambda data: re.sub(rb'"created_at": "\d{4}', f'"created_at": "{created}'.encode(), data),
    )
    orphan = f"{SEGMENTS}orphan.seg"
    s3.put_object(Bucket=bucket_name, Key=orphan, Body=b"of a writer that died")

    for number in range(4):
        store.put([document(f"d{number}")])

    assert (orphan not in _segment_keys(s3, bucket_name)) is removed
    assert _ids(new_s3_store()) == {"first", "d0", "d1", "d2", "d3"}


def _contents(s3: Any, bucket: str) -> bytes:
    """All segments' bytes, the listed ones and others."""
    keys = _segment_keys(s3, bucket)
    return b"".join(s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)


def test_texts_of_deleted_and_replaced_documents_are_erased(
    s3: Any, bucket_name: str, new_s3_store: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of each segment is live, so nothing else would rewrite it."""
    store = new_s3_store()
    store.put([document(one, f"{one} first") for one in ("gone", "changed", "kept")])
    store.put([document(one, f"{one} second") for one in ("gone2", "kept2", "kept3")])
    store.delete("gone")
    store.delete("gone2")
    store.put([document("changed", "changed later")])

    assert store.erase() == Erasure(0, is_complete=True)  # a segment is a day old before
    assert b"gone first" in _contents(s3, bucket_name)
    monkeypatch.setattr("s3vector.s3_store._ERASURE_AGE", timedelta(seconds=-60))
    with deadline.scope(time.time() + 1):
        assert store.erase() == Erasure(0, is_complete=False)
    assert store.erase().is_complete

    contents = _contents(s3, bucket_name)
    assert b"gone" not in contents  # neither a text nor a tombstone
    assert b"changed first" not in contents
    assert b"changed later" in contents
    assert _ids(new_s3_store()) == {"changed", "kept", "kept2", "kept3"}
    assert store.erase() == Erasure(0, is_complete=True)


def test_a_tombstone_is_erased_after_what_it_hides(
    s3: Any, bucket_name: str, new_s3_store: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_s3_store()
    store.put([document("gone"), document("kept")])
    [young] = _segment_keys(s3, bucket_name)
    store.delete("gone")
    monkeypatch.setattr("s3vector.s3_store._ERASURE_AGE", timedelta(seconds=-60))
    objects = Bucket.objects
    monkeypatch.setattr(
        Bucket, "objects", lambda *args: (one for one in objects(*args) if one.key != young)
    )
    assert store.erase() == Erasure(0, is_complete=True)
    assert _ids(new_s3_store()) == {"kept"}
    monkeypatch.setattr(Bucket, "objects", objects)
    assert store.erase().changed == 2
    assert b"gone" not in _contents(s3, bucket_name)
    assert _ids(new_s3_store()) == {"kept"}


def test_an_erasure_deletes_what_nobody_committed(
    s3: Any, bucket_name: str, new_s3_store: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3vector.s3_store._ORPHAN_AGE", timedelta(seconds=-60))
    new_s3_store().put([document("first")])
    _damage(s3, bucket_name, MANIFEST, lambda data: re.sub(rb'(?<="created_at": ")2', b"1", data))
    orphan = f"{SEGMENTS}orphan.seg"
    s3.put_object(Bucket=bucket_name, Key=orphan, Body=b"of a writer that died")
    new_s3_store().erase()
    assert orphan not in _segment_keys(s3, bucket_name)


def test_a_full_store_refuses_to_grow_and_still_answers(
    s3: Any, bucket_name: str, new_s3_store: Factory
) -> None:
    store = new_s3_store(capacity_bytes=4_000)
    stored = set()

    def fill() -> None:
        for number in range(100):
            store.put([document(f"d{number}", "x" * 300)])
            stored.add(f"d{number}")

    with pytest.raises(CapacityExceeded, match="VECTOR_BACKEND=s3vectors") as refused:
        fill()
    assert "max_store_mib and s3vector_memory_mb" in refused.value.detail
    assert refused.value.detail.endswith("Nothing was stored.")

    assert stored
    assert _ids(new_s3_store(capacity_bytes=4_000)) == stored
    assert len(_segment_keys(s3, bucket_name)) == len(stored)
    assert store.query(hashed_vector("x" * 300), 1, None)
    for one in stored:
        assert store.delete(one)
    store.put([document("again", "x" * 300)])
    assert _ids(store) == {"again"}


def test_writers_cannot_fill_the_store_beyond_its_capacity_together(
    cloud: Cloud, s3: Any, bucket_name: str, new_s3_store: Factory
) -> None:
    """Each sees enough space; the second to commit does not get it."""
    store, other = new_s3_store(capacity_bytes=4_000), new_s3_store(capacity_bytes=4_000)

    def overtaken(_request: Any, serve: Callable[[], Any]) -> Any:
        other.put([document("other", "x" * 2_000)])
        return serve()

    with cloud.fault("PUT", MANIFEST, overtaken), pytest.raises(CapacityExceeded, match="Nothing"):
        store.put([document("a", "x" * 2_000)])

    assert _ids(store) == {"other"}
    assert len(_segment_keys(s3, bucket_name)) == 1


def test_space_of_replaced_documents_is_reclaimed(new_s3_store: Factory) -> None:
    store = new_s3_store(capacity_bytes=6_000, limits=Limits(fanout=100))
    for turn in range(30):
        store.put([document("same", f"turn{turn} " * 40)])
    assert _ids(store) == {"same"}
    assert (store.stats().stored_bytes or 0) <= 6_000


def test_a_store_too_large_for_this_function_is_not_loaded(new_s3_store: Factory) -> None:
    new_s3_store().put([document("a", "x" * 5_000)])
    with pytest.raises(CapacityExceeded, match="MAX_STORE_BYTES"):
        new_s3_store(capacity_bytes=1_000).get(["a"])
