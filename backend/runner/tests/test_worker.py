"""Slices of jobs: on a real S3 server, into a store of documents in memory."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from runner.jobs import Job
from runner.parser_process import ParserProcess
from runner.parts import S3PartCounts
from runner.sink import DocumentPayload
from runner.store import S3JobStore
from runner.tests.conftest import Runner
from runner.tests.fakes import SCAN, FakeSink, make_pdf
from runner.worker import Worker, _utc_now
from shared.api_client import BadAnswer, CallTimeout, RequestRefused, Throttled
from shared.errors import BadDependency, NotFound, Unavailable
from shared.request import deadline

pytestmark = pytest.mark.anyio


def files(count: int, text: str = "Some text.") -> dict[str, bytes | str]:
    return {f"uploads/doc-{number:03}.txt": f"{text} {number}" for number in range(count)}


def answer(status: int, detail: str = "no") -> httpx.Response:
    return httpx.Response(
        status, json={"error": "x", "detail": detail}, request=httpx.Request("PUT", "http://g/d")
    )


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.moment = _utc_now()

    def __call__(self) -> datetime:
        return self.moment

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


async def finish(worker: Worker, job: Job, *, clock: Clock | None = None, slices: int = 200) -> Job:
    """Run slices until the job has ended."""
    for _ in range(slices):
        progress = await worker.advance(job.id)
        if not progress.job.is_open:
            return progress.job
        if progress.retry_after and clock:
            clock.move(progress.retry_after + 0.01)
    raise AssertionError(f"still open: {progress.job}")


async def test_a_slice_ingests_every_document_once(runner: Runner) -> None:
    job = runner.job(files(7))
    progress = await runner.worker(batch_documents=3).advance(job.id)

    assert (progress.job.state, progress.job.done, progress.job.failed) == ("succeeded", 7, 0)
    assert progress.job == runner.load(job)
    assert [len(ids) for ids in runner.sink.puts] == [3, 3, 1]
    stored = runner.sink.documents["doc-003.txt"]
    assert stored == {
        "id": "doc-003.txt",
        "title": "doc-003.txt",
        "text": "Some text. 3",
        "metadata": {"source": "uploads/doc-003.txt"},
    }


async def test_documents_that_cannot_be_read_are_recorded_and_the_others_ingested(
    runner: Runner,
) -> None:
    job = runner.job(
        {
            "uploads/a.txt": "fine",
            "uploads/b.docx": "a word",
            "uploads/c.pdf": "no pdf",
            "uploads/d.txt": b"\x00\x01\xfd",
            "uploads/e.html": "<p></p>",
            "uploads/gone.txt": "x",
            "uploads/z.md": "# Last\n\nfine",
        }
    )
    runner.s3.delete_object(Bucket=runner.bucket, Key="uploads/gone.txt")
    done = await finish(runner.worker(), job)

    assert (done.state, done.done, done.failed) == ("partial", 2, 5)
    assert set(runner.sink.documents) == {"a.txt", "z.md"}
    assert {failure.document_id: failure.detail.split()[0] for failure in done.errors} == {
        "b.docx": "it",
        "c.pdf": "it",
        "d.txt": "it",
        "e.html": "it",
        "gone.txt": "it",
    }


async def test_a_job_fails_if_no_document_could_be_ingested(runner: Runner) -> None:
    job = runner.job({"uploads/a.exe": "x"})
    assert (await finish(runner.worker(), job)).state == "failed"


async def test_pages_that_cannot_be_read_are_named_and_the_others_ingested(
    runner: Runner,
) -> None:
    pages = ["one", SCAN, SCAN, "four", "/g1/g2 /g3", SCAN]
    job = runner.job({"uploads/book.pdf": make_pdf(pages), "uploads/scan.pdf": make_pdf([SCAN])})
    # Each step reads the cursor that the step before has written.
    done = await finish(runner.worker(batch_documents=1), job)

    assert (done.state, done.done, done.partial, done.failed) == ("partial", 1, 1, 1)
    assert [one["metadata"]["first_page"] for one in runner.sink.documents.values()] == [1, 4]
    found = [
        (one.document_id, [(page.first, page.last) for page in one.pages], one.detail)
        for one in done.errors
    ]
    assert [(document_id, pages) for document_id, pages, _ in found] == [
        ("book.pdf", [(2, 3), (6, 6)]),
        ("book.pdf", [(5, 5)]),
        ("scan.pdf", [(1, 1)]),
        ("scan.pdf", []),
    ]
    assert "run OCR" in found[0][2]
    assert "fonts" in found[1][2]
    assert found[3][2] == "none of its pages could be read"


async def test_a_page_that_ends_the_parser_fails_alone_and_few_of_them_the_document(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = ParserProcess.section

    def crashing(parser: ParserProcess, document: int, index: int) -> str:
        if index in crashes and parser._process is not None:
            parser._process.kill()
        return section(parser, document, index)

    monkeypatch.setattr(ParserProcess, "section", crashing)
    crashes = {1}
    job = runner.job({"uploads/a.pdf": make_pdf(["one", "two", "three"])})
    done = await finish(runner.worker(), job)
    assert (done.state, [one["text"] for one in runner.sink.documents.values()]) == (
        "partial",
        ["one", "three"],
    )
    assert [(one.pages[0].first, one.detail.split(",")[0]) for one in done.errors] == [
        (2, "reading it ended the parser")
    ]

    crashes = set(range(1, 9))
    job = runner.job({"uploads/b.pdf": make_pdf([f"page {n}" for n in range(9)])})
    done = await finish(runner.worker(), job)
    assert (done.state, done.failed) == ("failed", 1)
    assert [len(one.pages) for one in done.errors] == [1, 0]


async def test_a_slice_ends_in_time_and_the_next_continues_there(runner: Runner) -> None:
    job = runner.job(files(6))

    def slowly(documents: Sequence[DocumentPayload]) -> None:
        time.sleep(0.15)

    runner.sink.before_put = slowly
    worker = runner.worker(batch_documents=1, slice_seconds=0.3, slice_limit_seconds=5)
    first = await worker.advance(job.id)
    assert first.job.state == "running"
    assert 1 <= first.job.done < 6
    assert first.job.lease is None
    await finish(worker, job)
    assert [ids[0] for ids in runner.sink.puts] == sorted(runner.sink.documents)


async def test_a_slice_fits_into_the_time_that_the_request_has(runner: Runner) -> None:
    job = runner.job(files(40))
    runner.sink.before_put = lambda documents: time.sleep(0.1)
    worker = runner.worker(batch_documents=1)
    with deadline.scope(time.time() + 3):
        progress = await worker.advance(job.id)
    assert 0 < progress.job.done < 40

    with deadline.scope(time.time() + 2):  # too little to begin at all
        assert (await worker.advance(job.id)).job == progress.job


async def test_a_stopping_worker_ends_at_the_next_step(runner: Runner) -> None:
    job = runner.job(files(5))
    stopped: list[bool] = []
    runner.sink.before_put = lambda documents: stopped.append(True)
    worker = runner.worker(batch_documents=1, stopping=lambda: bool(stopped))
    progress = await worker.advance(job.id)

    assert (progress.job.done, progress.job.lease) == (1, None)
    assert (await worker.advance(job.id)).job.done == 1
    assert (await finish(runner.worker(), job)).done == 5


async def test_two_workers_that_race_for_a_lease_do_not_work_at_once(runner: Runner) -> None:
    job = runner.job(files(30))
    at_once = [0, 0]

    class Watched(FakeSink):
        async def put(
            self, documents: Sequence[DocumentPayload], *, timeout_seconds: float
        ) -> None:
            at_once[0] += 1
            at_once[1] = max(at_once)
            await asyncio.sleep(0.01)
            await super().put(documents, timeout_seconds=timeout_seconds)
            at_once[0] -= 1

    sink = Watched()
    workers = [runner.worker(sink=sink, batch_documents=2) for _ in range(8)]
    results = await asyncio.gather(*(worker.advance(job.id) for worker in workers))

    assert at_once[1] == 1
    assert len(sink.puts) == 15
    assert runner.load(job).done == 30
    assert sum(not result.job.is_open for result in results) >= 1


async def test_a_job_under_lease_is_left_alone_and_says_for_how_long(runner: Runner) -> None:
    job = runner.job(files(2))
    stored = runner.jobs.load(job.id)
    runner.jobs.save(stored, stored.job.begun("another", now=_utc_now(), seconds=30))
    progress = await runner.worker().advance(job.id)

    assert 28 < progress.retry_after <= 30
    assert runner.sink.puts == []


async def test_a_job_whose_worker_died_continues_when_the_lease_expires(runner: Runner) -> None:
    job = runner.job(files(2))
    stored = runner.jobs.load(job.id)
    runner.jobs.save(stored, stored.job.begun("dead", now=_utc_now(), seconds=-1))
    assert (await runner.worker().advance(job.id)).job.state == "succeeded"


async def test_a_worker_that_lost_its_lease_changes_nothing_more(runner: Runner) -> None:
    job = runner.job(files(4))
    clock = Clock()

    def overtake(documents: Sequence[DocumentPayload]) -> None:
        runner.sink.before_put = lambda documents: None
        stored = runner.jobs.load(job.id)
        runner.jobs.save(stored, stored.job.begun("faster", now=clock(), seconds=30))

    runner.sink.before_put = overtake
    progress = await runner.worker(batch_documents=1, now=clock).advance(job.id)

    assert len(runner.sink.puts) == 1
    assert progress.job.done == 0
    assert progress.job.lease is not None
    assert progress.job.lease.holder == "faster"


async def test_cancelling_ends_a_slice_at_its_next_step(runner: Runner) -> None:
    job = runner.job(files(4))

    def cancel(documents: Sequence[DocumentPayload]) -> None:
        stored = runner.jobs.load(job.id)
        runner.jobs.save(stored, stored.job.cancelled(now=_utc_now()))

    runner.sink.before_put = cancel
    progress = await runner.worker(batch_documents=1).advance(job.id)
    assert progress.job.state == "cancelled"
    assert len(runner.sink.puts) == 1
    assert (await runner.worker().advance(job.id)).job.state == "cancelled"
    assert len(runner.sink.puts) == 1


async def test_a_refused_document_is_found_among_its_batch(runner: Runner) -> None:
    job = runner.job(files(9))

    def refuse(documents: Sequence[DocumentPayload]) -> None:
        if any(document["id"] in {"doc-004.txt", "doc-008.txt"} for document in documents):
            raise RequestRefused("metadata: too long", response=answer(422))

    runner.sink.before_put = refuse
    done = await finish(runner.worker(), job)
    assert (done.state, done.done, done.failed) == ("partial", 7, 2)
    assert [(one.document_id, one.detail) for one in done.errors] == [
        ("doc-004.txt", "metadata: too long"),
        ("doc-008.txt", "metadata: too long"),
    ]
    assert len(runner.sink.puts) == 10  # the whole batch, then one by one


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("no connection", retry_after=2),
        Throttled("too many", response=answer(429), retry_after=2),
        BadAnswer("full", response=answer(507)),
        RequestRefused("wrong path", response=answer(403)),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_outage_fails_no_document_however_long_it_lasts(
    error: Exception, runner: Runner
) -> None:
    job = runner.job(files(3))
    clock = Clock()
    worker = runner.worker(now=clock)

    def fail(documents: Sequence[DocumentPayload]) -> None:
        raise error

    runner.sink.before_put = fail
    waits = []
    for _ in range(30):
        progress = await worker.advance(job.id)
        waits.append(progress.retry_after)
        clock.move(progress.retry_after)
    assert waits[:3] == [5, 10, 20]
    assert max(waits) == 300
    assert progress.job.waiting is not None
    assert progress.job.waiting.reason == str(error)

    runner.sink.before_put = lambda documents: None
    done = await finish(worker, job, clock=clock)
    assert (done.done, done.failed, done.waiting) == (3, 0, None)


async def test_a_waiting_job_is_not_tried_before_its_time(runner: Runner) -> None:
    job = runner.job(files(1))
    clock = Clock()
    worker = runner.worker(now=clock)

    def fail(documents: Sequence[DocumentPayload]) -> None:
        raise Unavailable("later", retry_after=60)

    runner.sink.before_put = fail
    assert (await worker.advance(job.id)).retry_after == 60
    clock.move(59)
    assert (await worker.advance(job.id)).retry_after == 1
    assert len(runner.sink.puts) == 1


@pytest.mark.parametrize(
    "error", [CallTimeout("no answer in time"), BadAnswer("failed", response=answer(502))]
)
async def test_a_document_that_makes_the_store_fail_is_isolated_and_given_up(
    error: Exception, runner: Runner
) -> None:
    job = runner.job(files(60))
    clock = Clock()
    worker = runner.worker(now=clock, max_attempts=6)

    def fail(documents: Sequence[DocumentPayload]) -> None:
        if any(document["id"] == "doc-033.txt" for document in documents):
            raise error

    runner.sink.before_put = fail
    done = await finish(worker, job, clock=clock)
    assert (done.state, done.done, done.failed) == ("partial", 59, 1)
    assert done.errors[0].document_id == "doc-033.txt"
    assert str(error) in done.errors[0].detail


async def test_a_document_that_kills_the_instance_is_given_up(runner: Runner) -> None:
    job = runner.job(files(12))
    clock = Clock()

    class Killed(BaseException):
        """Raised where the process would be killed."""

    def die(documents: Sequence[DocumentPayload]) -> None:
        if any(document["id"] == "doc-002.txt" for document in documents):
            raise Killed

    runner.sink.before_put = die
    deaths = 0
    for _ in range(60):
        worker = runner.worker(now=clock, max_attempts=5)
        try:
            progress = await worker.advance(job.id)
        except Killed:
            deaths += 1
            clock.move(31)
            continue
        if not progress.job.is_open:
            break
    assert (progress.job.done, progress.job.failed) == (11, 1)
    assert progress.job.errors[0].document_id == "doc-002.txt"
    assert "ended while working on it" in progress.job.errors[0].detail
    assert deaths < 20


async def test_a_hanging_store_ends_the_slice(runner: Runner) -> None:
    job = runner.job(files(1))

    class Hanging(FakeSink):
        async def put(
            self, documents: Sequence[DocumentPayload], *, timeout_seconds: float
        ) -> None:
            await asyncio.Event().wait()  # for ever

    worker = runner.worker(sink=Hanging(), slice_limit_seconds=1)
    progress = await worker.advance(job.id)
    assert progress.job.waiting is not None
    assert progress.job.lease is None


def long_text(words: int) -> str:
    return " ".join(f"word{number}" for number in range(words))


async def test_a_long_upload_becomes_several_documents(runner: Runner) -> None:
    text = long_text(700)
    job = runner.job({"uploads/long.txt": text, "uploads/short.txt": "short"})
    done = await finish(runner.worker(part_characters=2000, batch_documents=1), job)

    assert (done.total, done.done) == (2, 2)
    parts = [runner.sink.documents[name] for name in ("long.txt", "long.txt:p2", "long.txt:p3")]
    assert " ".join(part["text"] for part in parts) == text
    assert [part["title"] for part in parts] == [
        "long.txt (part 1)", "long.txt (part 2)", "long.txt (part 3)",
    ]  # fmt: skip
    assert len(runner.sink.documents) == 4


async def test_pages_of_a_pdf_are_named_and_a_slice_may_end_between_them(runner: Runner) -> None:
    pages = [f"page {number} " + "x" * 300 for number in range(1, 10)]
    job = runner.job({"uploads/book.pdf": make_pdf(pages, title="The book")})
    steps: list[bool] = []
    runner.sink.before_put = lambda documents: steps.append(True)
    # A new worker for each slice, and slices of one step: all progress is read from the bucket.
    for _ in range(20):
        steps.clear()
        worker = runner.worker(
            part_characters=1000, batch_documents=1, stopping=lambda: bool(steps)
        )
        progress = await worker.advance(job.id)
        if not progress.job.is_open:
            break
        assert progress.job.pages_done == len(runner.sink.documents)
    documents = runner.sink.documents
    assert list(documents) == ["book.pdf", *(f"book.pdf:p{number}" for number in range(2, 10))]
    assert [
        (one["metadata"]["first_page"], one["metadata"]["last_page"]) for one in documents.values()
    ] == [(number, number) for number in range(1, 10)]
    assert {one["title"] for one in documents.values()} == {"The book"}
    assert [one["text"] for one in documents.values()] == pages


async def test_the_same_bytes_are_the_same_documents_however_slices_end(runner: Runner) -> None:
    content = make_pdf([f"page {number} " + "word " * 300 for number in range(1, 4)])
    await finish(runner.worker(part_characters=1000), runner.job({"uploads/book.pdf": content}))
    at_once = dict(runner.sink.documents)
    runner.sink.documents.clear()
    one_step = runner.worker(part_characters=1000, batch_documents=1, slice_seconds=0.001)
    await finish(one_step, runner.job({"uploads/book.pdf": content}))
    assert runner.sink.documents == at_once
    assert len(at_once) == 6


async def test_the_parts_of_a_document_are_counted_once_a_batch(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    get = S3PartCounts.get

    def counted(counts: S3PartCounts, document_id: str) -> int:
        reads.append(document_id)
        return get(counts, document_id)

    monkeypatch.setattr(S3PartCounts, "get", counted)
    pages = [f"text of page {number}" for number in range(1, 4)]
    job = runner.job({"uploads/book.pdf": make_pdf(pages)})
    assert (await finish(runner.worker(), job)).done == 1
    assert len(runner.sink.documents) == 3
    # Before the parts are stored, and before those of a longer version are deleted.
    assert reads == ["book.pdf"] * 2


async def test_a_document_that_became_shorter_leaves_no_parts_behind(runner: Runner) -> None:
    worker = runner.worker(part_characters=1000)
    await finish(worker, runner.job({"uploads/a.txt": long_text(500)}))
    assert len(runner.sink.documents) == 4
    await finish(worker, runner.job({"uploads/a.txt": long_text(150)}))
    assert set(runner.sink.documents) == {"a.txt", "a.txt:p2"}
    await finish(worker, runner.job({"uploads/a.txt": "short"}))
    assert set(runner.sink.documents) == {"a.txt"}
    assert runner.counts.get("a.txt") == 1


async def test_parts_of_a_cancelled_job_are_deleted_by_the_next(runner: Runner) -> None:
    job = runner.job({"uploads/a.txt": long_text(500)})

    def cancel_at_third(documents: Sequence[DocumentPayload]) -> None:
        if len(runner.sink.puts) == 3:
            stored = runner.jobs.load(job.id)
            runner.jobs.save(stored, stored.job.cancelled(now=_utc_now()))

    runner.sink.before_put = cancel_at_third
    await finish(runner.worker(part_characters=1000, batch_documents=1), job)
    assert set(runner.sink.documents) == {"a.txt", "a.txt:p2", "a.txt:p3"}

    await finish(runner.worker(), runner.job({"uploads/a.txt": "short"}))
    assert set(runner.sink.documents) == {"a.txt"}


async def test_a_file_over_the_limit_is_not_fetched(runner: Runner) -> None:
    job = runner.job({"uploads/a.txt": "x" * 3000})
    done = await finish(runner.worker(max_document_bytes=2000), job)
    assert "over 2,000 bytes" in done.errors[0].detail


async def test_damaged_documents_of_a_job_are_named_and_the_job_stays(runner: Runner) -> None:
    job = runner.job(files(2))
    for body in (b"{", b"[]", b'[{"source":"upload"}]'):
        runner.s3.put_object(Bucket=runner.bucket, Key=job.items_key, Body=body)
        with pytest.raises(BadDependency, match=job.items_key):
            await runner.worker().advance(job.id)
    assert runner.load(job) == job


async def test_an_unknown_job_is_not_found(runner: Runner) -> None:
    with pytest.raises(NotFound):
        await runner.worker().advance("job-unknown")


async def test_only_the_first_errors_are_kept_and_all_are_counted(runner: Runner) -> None:
    many: dict[str, Any] = {f"uploads/{number:03}.exe": "x" for number in range(130)}
    done = await finish(runner.worker(), runner.job(many))
    assert (done.failed, len(done.errors)) == (130, 100)


async def test_a_job_that_is_cancelled_before_its_documents_are_read_is_cancelled(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its documents are deleted when it ends."""
    job = runner.job(files(1))
    read = S3JobStore.items

    def cancel_first(store: S3JobStore, job: Job) -> bytes:
        stored = runner.jobs.load(job.id)
        runner.jobs.save(stored, stored.job.cancelled(now=_utc_now()))
        return read(store, job)

    monkeypatch.setattr(S3JobStore, "items", cancel_first)
    assert (await runner.worker().advance(job.id)).job.state == "cancelled"
