"""The state transitions of a job, in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.failures import MAX_ERRORS, DocumentFailure, page_failure
from runner.jobs import Cursor, Job

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(**values: Any) -> Job:
    return Job(
        **{
            "id": "job-one-two",
            "fingerprint": "f",
            "items_key": "k",
            "total": 5,
            "created_at": NOW,
            "updated_at": NOW,
            **values,
        }
    )


def failure(name: str = "a") -> DocumentFailure:
    return DocumentFailure(document_id=name, detail="no")


def test_a_job_is_blocked_until_its_lease_or_its_wait_is_over() -> None:
    held = job().begun("me", now=NOW, seconds=30)
    assert held.blocked_seconds(NOW) == 30
    assert held.blocked_seconds(NOW + timedelta(seconds=30)) == 0
    waiting = held.stalled("away", blames_document=False, after=7, now=NOW)
    assert (waiting.lease, waiting.blocked_seconds(NOW)) == (None, 7)


def test_only_failures_that_a_document_may_cause_count_as_attempts() -> None:
    began = job().begun("me", now=NOW, seconds=1)
    assert began.attempts == 1
    assert began.released(now=NOW).attempts == 0
    assert began.stalled("s", blames_document=False, after=None, now=NOW).attempts == 0
    assert began.stalled("s", blames_document=True, after=None, now=NOW).attempts == 1
    assert began.begun("next", now=NOW, seconds=1).attempts == 2  # the first one died


def test_progress_resets_the_counters_and_the_wait() -> None:
    stalled = job().begun("me", now=NOW, seconds=1)
    stalled = stalled.stalled("s", blames_document=True, after=None, now=NOW)
    moved = stalled.advanced(Cursor(index=2), done=1, failures=(failure(),), now=NOW)
    assert (moved.attempts, moved.waits, moved.waiting) == (0, 0, None)
    assert (moved.done, moved.failed) == (1, 1)


def test_retry_after_is_honoured_up_to_a_limit() -> None:
    for after, expected in [(None, 5), (60, 60), (9000, 300)]:
        waiting = job().stalled("s", blames_document=False, after=after, now=NOW)
        assert waiting.blocked_seconds(NOW) == expected


def test_errors_are_bounded_and_failures_all_counted() -> None:
    many = tuple(failure(str(number)) for number in range(MAX_ERRORS + 20))
    moved = job(total=500).advanced(Cursor(index=120), done=0, failures=many, now=NOW)
    assert (moved.failed, len(moved.errors)) == (MAX_ERRORS + 20, MAX_ERRORS)


def test_pages_that_fail_for_one_reason_are_one_error_with_their_ranges() -> None:
    def error(page: int, detail: str = "scan") -> DocumentFailure:
        return page_failure("a", page - 1, detail)

    cursor, moved = Cursor(), job()
    for step in ([error(2)], [error(3), error(4, "fonts")], [error(5), error(7)]):
        moved = moved.advanced(cursor, done=0, failures=tuple(step), now=NOW)
    assert moved.failed == 0
    assert [(one.detail, [(p.first, p.last) for p in one.pages]) for one in moved.errors] == [
        ("scan", [(2, 3), (5, 5), (7, 7)]),
        ("fonts", [(4, 4)]),
    ]


def test_the_ranges_of_an_error_are_bounded() -> None:
    every_second = tuple(page_failure("a", page, "scan") for page in range(0, 2000, 2))
    moved = job().advanced(Cursor(), done=0, failures=every_second, now=NOW)
    assert [len(one.pages) for one in moved.errors] == [50] * 20


_MOVES = st.sampled_from(["begun", "advanced", "released", "stalled", "given_up", "cancelled"])


@given(st.lists(st.tuples(_MOVES, st.integers(0, 5)), max_size=25))
def test_any_sequence_of_transitions_can_be_stored_and_counts_every_document(
    moves: list[tuple[str, int]],
) -> None:
    current, now = job(total=1000), NOW
    for move, number in moves:
        before = current
        now += timedelta(seconds=number)
        if move == "begun":
            current = current.begun("w", now=now, seconds=number)
        elif move == "advanced":
            cursor = Cursor(index=current.cursor.index + number + 1)
            current = current.advanced(cursor, done=number, failures=(failure(),), now=now)
        elif move == "released":
            current = current.released(now=now)
        elif move == "stalled":
            current = current.stalled("s", blames_document=bool(number % 2), after=number, now=now)
        elif move == "given_up":
            current = current.given_up("a", now=now)
        else:
            current = current.cancelled(now=now)
        assert Job.model_validate_json(current.model_dump_json()) == current
        assert current.done + current.failed == current.cursor.index
        assert current.cursor.index >= before.cursor.index
        assert current.attempts >= 0
        assert current.updated_at == now
