"""Jobs on a real S3 server, behind a proxy that fails on purpose."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from runner.jobs import Job, Superseded
from runner.store import S3JobStore
from runner.tests.conftest import Runner, client_of
from runner.tests.fakes import FaultyS3
from runner.worker import _utc_now
from shared.aws.bucket import Bucket
from shared.errors import BadDependency, NotFound, ServiceError, Unavailable


def new_job(job_id: str | None = None, **values: Any) -> Job:
    now = _utc_now()
    return Job(
        **{
            "id": job_id or f"job-{uuid.uuid4().hex}",
            "fingerprint": "f",
            "items_key": "",
            "total": 1,
            "created_at": now,
            "updated_at": now,
            **values,
        }
    )


@pytest.fixture
def store(runner: Runner) -> S3JobStore:
    return runner.jobs


@pytest.fixture
def faulty(runner: Runner, faulty_s3: FaultyS3) -> S3JobStore:
    """A store behind the proxy that makes S3 fail."""
    client = client_of(faulty_s3.url, read_timeout=0.4)
    return S3JobStore(Bucket(runner.bucket, lambda: client))


def once(fault: str, method: str, part: str) -> Callable[[str, str], str | None]:
    """Return a fault for the first request that matches."""
    left = [fault]

    def decide(requested: str, path: str) -> str | None:
        return left.pop() if left and requested == method and part in path else None

    return decide


def always(fault: str, method: str, part: str) -> Callable[[str, str], str | None]:
    return lambda requested, path: fault if requested == method and part in path else None


def test_a_job_is_read_as_it_was_stored(store: S3JobStore) -> None:
    stored = store.create(new_job(), b"[]")
    assert store.load(stored.job.id) == stored
    assert store.items(stored.job) == b"[]"


def test_creating_the_same_job_again_returns_the_first_and_leaves_nothing(
    store: S3JobStore, runner: Runner
) -> None:
    first = store.create(new_job("job-same-id"), b"first")
    second = store.create(new_job("job-same-id"), b"second")

    assert second == first
    assert store.items(second.job) == b"first"
    listing = runner.s3.list_objects_v2(Bucket=runner.bucket, Prefix="jobs/items/")
    assert [entry["Key"] for entry in listing["Contents"]] == [first.job.items_key]


def test_a_write_on_an_old_state_is_superseded_and_changes_nothing(store: S3JobStore) -> None:
    read = store.create(new_job(), b"[]")
    newer = store.save(read, read.job.cancelled(now=_utc_now()))
    with pytest.raises(Superseded):
        store.save(read, read.job.begun("me", now=_utc_now(), seconds=9))
    assert store.load(read.job.id) == newer


def test_of_many_writers_at_once_one_wins(store: S3JobStore) -> None:
    read = store.create(new_job(), b"[]")
    start, won = threading.Barrier(12), []

    def write(name: str) -> None:
        start.wait()
        try:
            won.append(store.save(read, read.job.begun(name, now=_utc_now(), seconds=9)))
        except Superseded:
            return

    threads = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.job for one in won] == [store.load(read.job.id).job]


@pytest.mark.parametrize("fault", ["landed-500", "ConditionalRequestConflict"])
def test_after_a_500_a_writer_recognises_its_own_write(
    fault: str, faulty: S3JobStore, faulty_s3: FaultyS3, store: S3JobStore
) -> None:
    """S3 stored the object but answered 500, so botocore's retry conflicts with the first write."""
    faulty_s3.fault = once(fault, "PUT", "jobs/state/")
    stored = faulty.create(new_job(), b"[]")
    assert store.load(stored.job.id) == stored

    faulty_s3.fault = once(fault, "PUT", "jobs/state/")
    saved = faulty.save(stored, stored.job.begun("me", now=_utc_now(), seconds=9))
    assert store.load(stored.job.id) == saved
    assert store.save(saved, saved.job.released(now=_utc_now())).job.lease is None


def test_after_a_500_a_writer_does_not_take_anothers_write_for_its_own(
    faulty: S3JobStore, faulty_s3: FaultyS3, store: S3JobStore
) -> None:
    stored = store.create(new_job(), b"[]")
    attempts = []

    def overtake(method: str, path: str) -> str | None:
        if method == "PUT" and "jobs/state/" in path:
            attempts.append(path)
            if len(attempts) == 1:
                store.save(stored, stored.job.cancelled(now=_utc_now()))
                return "InternalError"
        return None

    faulty_s3.fault = overtake
    with pytest.raises(Superseded):
        faulty.save(stored, stored.job.begun("me", now=_utc_now(), seconds=9))
    assert len(attempts) == 2
    assert store.load(stored.job.id).job.state == "cancelled"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("SlowDown", Unavailable),
        ("InternalError", Unavailable),
        ("hang", Unavailable),
        ("AccessDenied", BadDependency),
        ("ConditionalRequestConflict", Unavailable),
    ],
)
def test_a_failing_s3_is_translated_and_loses_nothing(
    fault: str,
    error: type[ServiceError],
    faulty: S3JobStore,
    faulty_s3: FaultyS3,
    store: S3JobStore,
) -> None:
    stored = store.create(new_job(), b"[]")
    faulty_s3.fault = always(fault, "PUT", "jobs/state/")
    with pytest.raises(error):
        faulty.save(stored, stored.job.begun("me", now=_utc_now(), seconds=9))
    if fault != "ConditionalRequestConflict":
        faulty_s3.fault = always(fault, "GET", "jobs/")
        with pytest.raises(error):
            faulty.load(stored.job.id)
    assert store.load(stored.job.id) == stored


def test_an_unknown_job_is_not_found(store: S3JobStore) -> None:
    with pytest.raises(NotFound):
        store.load("job-unknown")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b'{"id": 3}'])
def test_a_damaged_job_is_named_and_left_as_it_is(
    body: bytes, store: S3JobStore, runner: Runner
) -> None:
    key = "jobs/state/job-damaged.json"
    runner.s3.put_object(Bucket=runner.bucket, Key=key, Body=body)
    with pytest.raises(BadDependency, match=key):
        store.load("job-damaged")
    assert runner.s3.get_object(Bucket=runner.bucket, Key=key)["Body"].read() == body


def test_a_job_stored_under_another_jobs_key_is_refused(store: S3JobStore, runner: Runner) -> None:
    stored = store.create(new_job(), b"[]")
    runner.s3.copy_object(
        Bucket=runner.bucket,
        Key="jobs/state/job-copied.json",
        CopySource=f"{runner.bucket}/jobs/state/{stored.job.id}.json",
    )
    with pytest.raises(BadDependency, match="another job"):
        store.load("job-copied")


def test_lost_documents_are_named(store: S3JobStore, runner: Runner) -> None:
    stored = store.create(new_job(), b"[]")
    runner.s3.delete_object(Bucket=runner.bucket, Key=stored.job.items_key)
    with pytest.raises(BadDependency, match="cancel the job"):
        store.items(stored.job)


def test_the_documents_of_an_ended_job_are_deleted(store: S3JobStore, runner: Runner) -> None:
    stored = store.create(new_job("job-ends"), b"[]")
    store.save(stored, stored.job.ended(now=_utc_now()))
    listing = runner.s3.list_objects_v2(Bucket=runner.bucket)
    assert [entry["Key"] for entry in listing["Contents"]] == ["jobs/state/job-ends.json"]
    with pytest.raises(Superseded):  # for a worker that read the job before
        store.items(stored.job)


def test_pages_contain_every_job_once_or_only_the_open_ones(store: S3JobStore) -> None:
    made = [store.create(new_job(f"job-number-{number:02}"), b"[]") for number in range(7)]
    for stored in made[::2]:
        store.save(stored, stored.job.cancelled(now=_utc_now()))

    def ids(*, only_open: bool) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = store.page(only_open=only_open, limit=2, after=cursor)
            assert len(page.jobs) <= 2
            found += [job.id for job in page.jobs]
            cursor = page.cursor
            if cursor is None:
                return found

    assert ids(only_open=False) == [stored.job.id for stored in made]
    assert ids(only_open=True) == [stored.job.id for stored in made[1::2]]


def test_one_damaged_job_does_not_hide_the_others(store: S3JobStore, runner: Runner) -> None:
    damaged = store.create(new_job("job-a-damaged"), b"[]")
    sound = store.create(new_job("job-b-sound"), b"[]")
    runner.s3.put_object(Bucket=runner.bucket, Key=f"jobs/state/{damaged.job.id}.json", Body=b"{")
    page = store.page(only_open=True, limit=10, after=None)
    assert [job.id for job in page.jobs] == [sound.job.id]
    assert page.unreadable == [damaged.job.id]


def test_a_listing_repairs_the_index_of_open_jobs(
    store: S3JobStore, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It deletes index entries of instances that were killed between two writes."""
    ended = store.create(new_job("job-ended-1"), b"[]")
    store.save(ended, ended.job.cancelled(now=_utc_now()))
    left = (ended.job.items_key, "jobs/open/job-ended-1")
    for key in (*left, "jobs/open/job-half", "jobs/items/job-half/x.json"):
        runner.s3.put_object(Bucket=runner.bucket, Key=key, Body=b"")

    def keys() -> set[str]:
        listing = runner.s3.list_objects_v2(Bucket=runner.bucket)
        return {entry["Key"] for entry in listing["Contents"]}

    assert store.page(only_open=True, limit=10, after=None).jobs == []
    assert not keys() & set(left)
    assert "jobs/open/job-half" in keys()  # its creation may still be in progress

    monkeypatch.setattr("runner.store._ORPHAN_AGE", timedelta(seconds=-5))
    store.page(only_open=True, limit=10, after=None)
    assert keys() == {"jobs/state/job-ended-1.json"}


def test_a_job_is_never_open_without_being_indexed(
    faulty: S3JobStore, faulty_s3: FaultyS3, store: S3JobStore
) -> None:
    job = new_job()
    faulty_s3.fault = always("SlowDown", "PUT", "jobs/open/")
    with pytest.raises(Unavailable):
        faulty.create(job, b"[]")
    with pytest.raises(NotFound):
        store.load(job.id)


def test_removing_can_be_repeated_after_a_failure(
    faulty: S3JobStore, faulty_s3: FaultyS3, store: S3JobStore, runner: Runner
) -> None:
    stored = store.create(new_job(), b"[]")
    ended = store.save(stored, stored.job.cancelled(now=_utc_now()))
    faulty_s3.fault = always("AccessDenied", "DELETE", "jobs/state/")
    with pytest.raises(BadDependency):
        faulty.remove(ended.job)
    assert store.load(stored.job.id) == ended
    store.remove(ended.job)
    assert runner.s3.list_objects_v2(Bucket=runner.bucket)["KeyCount"] == 0
