"""The `advance-jobs` task, against a fake gateway."""

import json

import httpx
import pytest

from api.advance import JobAdvancer
from api.tests.fakes import Gateway, job

pytestmark = pytest.mark.anyio


def listing(*job_ids: str) -> httpx.Response:
    return httpx.Response(200, json={"jobs": [job("running", job_id) for job_id in job_ids]})


async def test_slices_are_run_in_turn_until_no_job_is_open() -> None:
    left = {"a": 2, "b": 1}

    def run(request: httpx.Request) -> httpx.Response:
        job_id = request.url.path.split("/")[-2]
        left[job_id] -= 1
        return httpx.Response(200, json=job("running" if left[job_id] else "succeeded", job_id))

    gateway = Gateway(
        {
            "GET /runner/jobs": listing("a", "b"),
            "POST /runner/jobs/a/run": run,
            "POST /runner/jobs/b/run": run,
        }
    )
    outcome = await JobAdvancer(gateway.client(), seconds=30).advance({})
    assert outcome == {"slices": 3, "open_jobs": 0}
    assert [request.url.path.split("/")[-2] for request in gateway.requests[1:]] == ["a", "b", "a"]


async def test_a_job_that_fails_or_runs_elsewhere_does_not_delay_the_others() -> None:
    gateway = Gateway(
        {
            "GET /runner/jobs": listing("gone", "broken", "fine"),
            "POST /runner/jobs/gone/run": httpx.Response(
                404, json={"error": "not_found", "detail": "?"}
            ),
            "POST /runner/jobs/broken/run": httpx.Response(500, json={"error": "x", "detail": "?"}),
            "POST /runner/jobs/fine/run": httpx.Response(200, json=job("succeeded", "fine")),
        }
    )
    outcome = await JobAdvancer(gateway.client(), seconds=30).advance({})
    assert outcome == {"slices": 3, "open_jobs": 1}


async def test_a_waiting_job_is_run_once_and_left_for_the_next_minute() -> None:
    waits = httpx.Response(200, json=job("running", "waits"), headers={"retry-after": "40"})
    gateway = Gateway({"GET /runner/jobs": listing("waits"), "POST /runner/jobs/waits/run": waits})
    outcome = await JobAdvancer(gateway.client(), seconds=30).advance({})
    assert outcome == {"slices": 1, "open_jobs": 1}


async def test_a_run_ends_when_its_time_is_used_up_and_counts_the_open_jobs() -> None:
    gateway = Gateway({"GET /runner/jobs": listing("a", "b")})
    outcome = await JobAdvancer(gateway.client(), seconds=0).advance({})
    assert outcome == {"slices": 0, "open_jobs": 2}
    assert len(gateway.requests) == 1


async def test_nothing_is_run_if_no_job_is_open() -> None:
    gateway = Gateway({"GET /runner/jobs": listing()})
    outcome = await JobAdvancer(gateway.client(), seconds=30).advance({})
    assert json.dumps(outcome) == '{"slices": 0, "open_jobs": 0}'
