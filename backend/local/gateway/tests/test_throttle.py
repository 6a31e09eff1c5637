"""The token bucket."""

from local.gateway.throttle import TokenBucket


def test_a_burst_passes_and_then_the_rate() -> None:
    now = [100.0]
    bucket = TokenBucket(2.0, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] += 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_the_bucket_never_has_more_than_the_burst() -> None:
    now = [0.0]
    bucket = TokenBucket(5.0, None, lambda: now[0])
    now[0] += 60.0
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
