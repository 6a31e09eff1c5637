"""Seals survive two writers, crashes, late records and two tasks at once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from records import seals
from records.sealing import LATE, Sealing
from records.tests.made import BEGIN, MemoryBucket, Writer
from records.verification import verify
from records.versions import RECORDS, SEALS
from shared.errors import Conflict


class Crash(Exception):
    """The process ended."""


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(clock: Clock) -> MemoryBucket:
    return MemoryBucket(now=clock)


@pytest.fixture
def sealing(bucket: MemoryBucket, clock: Clock) -> Sealing:
    return Sealing(bucket, now=clock)


def test_each_record_is_sealed_once_and_seals_are_a_chain(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    writers = [Writer("a"), Writer("b")]
    for _ in range(3):
        for writer in writers:
            bucket.put(*writer.next(clock.now))
        assert sealing.seal()["sealed"] == 2
        clock.tick(hours=1)
    assert sealing.seal() == {"sealed": 0, "last_seal": 4, "delete_markers": 0}
    stored = [one.seal for one in seals.read(bucket)]
    assert [seal.number for seal in stored if seal] == [1, 2, 3, 4]
    sealed = [one.key for seal in stored if seal for one in seal.records]
    assert sorted(sealed) == bucket.keys(RECORDS)
    assert verify(bucket).findings == ()


def test_a_late_record_is_sealed_later(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    clock.tick(hours=12)  # so that it arrives on the next day
    late = Writer("late").next(clock.now)
    for _ in range(int(LATE / timedelta(hours=1)) - 1):
        bucket.put(*Writer(f"w{clock.now:%d%H}").next(clock.now))
        sealing.seal()
        clock.tick(hours=1)
    bucket.put(*late)
    assert [one.kind for one in verify(bucket).findings] == ["not_sealed"]
    assert sealing.seal()["sealed"] == 1
    assert verify(bucket).findings == ()


def test_after_an_outage_of_the_task_everything_is_sealed(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    sealing.seal()
    for _ in range(10):
        clock.tick(days=1)
        bucket.put(*Writer(f"w{clock.now:%d}").next(clock.now))
    assert sealing.seal()["sealed"] == 10


def test_no_record_is_sealed_again_on_the_next_days(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    bucket.put(*Writer("a").next(clock.now))
    assert [sealing.seal()["sealed"]] == [1]
    for _ in range(60):
        clock.tick(hours=1)
        assert sealing.seal()["sealed"] == 0


def test_many_records_are_sealed_by_several_seals(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.sealing._RECORDS_A_SEAL", 2)
    writer = Writer("a")
    for _ in range(5):
        bucket.put(*writer.next(clock.now))
    assert sealing.seal() == {"sealed": 5, "last_seal": 3, "delete_markers": 0}
    assert verify(bucket).findings == ()


def test_of_two_tasks_at_once_one_seals(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    bucket.put(*Writer("a").next(clock.now))

    def other_task(moment: str) -> None:
        if moment == "before":
            bucket.failing = lambda _: None
            clock.tick(seconds=1)
            Sealing(bucket, now=clock).seal()

    bucket.failing = other_task
    with pytest.raises(Conflict, match="Another task"):
        sealing.seal()
    assert len(bucket.keys(SEALS)) == 1
    assert sealing.seal()["sealed"] == 0


def test_a_seal_whose_answer_was_lost_is_its_tasks_own(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    bucket.put(*Writer("a").next(clock.now))
    put_new = bucket.put_new

    def repeated(key: str, data: bytes) -> bool:
        put_new(key, data)
        return put_new(key, data)

    bucket.put_new = repeated  # type: ignore[method-assign]
    assert sealing.seal()["last_seal"] == 1


def test_a_delete_marker_is_counted_and_not_sealed(
    bucket: MemoryBucket, sealing: Sealing, clock: Clock
) -> None:
    key, content = Writer("a").next(clock.now)
    bucket.put(key, content)
    bucket.delete(key)
    assert sealing.seal() == {"sealed": 1, "last_seal": 1, "delete_markers": 1}


class Life(RuleBasedStateMachine):
    """Writers write, crash and are late; the sealing task runs, crashes, and runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.bucket = MemoryBucket(now=self.clock)
        self.writers = [Writer("w1"), Writer("w2")]
        self.born = 2
        self.late: list[tuple[datetime, str, bytes]] = []
        self.written: set[str] = set()

    def put(self, key: str, content: bytes) -> None:
        self.bucket.put(key, content)
        self.written.add(key)

    def restart(self, number: int) -> None:
        self.born += 1
        self.writers[number] = Writer(f"w{self.born}")

    @rule(number=st.integers(0, 1))
    def write(self, number: int) -> None:
        self.put(*self.writers[number].next(self.clock.now))

    @rule(number=st.integers(0, 1), stored=st.booleans())
    def crash(self, number: int, stored: bool) -> None:
        record = self.writers[number].next(self.clock.now)
        if stored:
            self.put(*record)
        self.restart(number)

    @rule(number=st.integers(0, 1))
    def answer_late(self, number: int) -> None:
        """The answer did not come in time, so the chain ended; the record arrives later."""
        self.late.append((self.clock.now, *self.writers[number].next(self.clock.now)))
        self.restart(number)

    @rule()
    def arrive(self) -> None:
        for began, key, content in self.late:
            if self.clock.now - began < LATE:
                self.put(key, content)
        self.late = []

    @rule(minutes=st.sampled_from([1, 30, 60, 600]))
    def wait(self, minutes: int) -> None:
        self.clock.tick(minutes=minutes)

    @rule(moment=st.sampled_from(["never", "before", "after"]))
    def seal(self, moment: str) -> None:
        def crash(at: str) -> None:
            if at == moment:
                raise Crash

        self.bucket.failing = crash
        try:
            Sealing(self.bucket, now=self.clock).seal()
        except Crash:
            pass
        finally:
            self.bucket.failing = lambda _: None
        self.clock.tick(seconds=1)

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert verify(self.bucket).is_clean

    def teardown(self) -> None:
        Sealing(self.bucket, now=self.clock).seal()
        assert verify(self.bucket).findings == ()
        sealed = [
            one.key
            for stored in seals.read(self.bucket)
            if stored.seal
            for one in stored.seal.records
        ]
        assert sorted(sealed) == sorted(self.written)


TestLife: Any = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
