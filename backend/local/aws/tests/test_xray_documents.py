"""Spans as segment documents, and in the embedded X-Ray."""

import asyncio
import time
from typing import Any

import pytest

from local.aws.server import EmbeddedAws, boto3_client
from local.aws.xray_documents import XRayForwarder, document
from local.blueprint import REGION
from local.traces.store import TraceStore
from local.traces.tests.example_spans import span

pytestmark = pytest.mark.anyio


def test_a_request_is_a_segment() -> None:
    made = document(
        span(
            1,
            start_ns=1_500_000_000,
            end_ns=2_000_000_000,
            attributes={
                "http.request.method": "GET",
                "url.path": "/test",
                "client.address": "203.0.113.7",
                "http.response.status_code": 200,
            },
        )
    )
    assert made["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert (made["id"], made["name"]) == ("0000000000000001", "api")
    assert (made["start_time"], made["end_time"]) == (1.5, 2.0)
    assert made["http"] == {
        "request": {"method": "GET", "url": "/test", "client_ip": "203.0.113.7"},
        "response": {"status": 200},
    }
    assert not {"type", "parent_id", "namespace", "fault", "error"} & set(made)


def test_an_internal_span_is_a_subsegment() -> None:
    made = document(span(2, kind="INTERNAL", parent_id="a" * 16, name="retrieve <script>"))
    assert (made["type"], made["parent_id"]) == ("subsegment", "a" * 16)
    assert made["name"] == "retrieve _script_"


@pytest.mark.parametrize(
    ("attributes", "namespace", "name"),
    [
        ({"server.address": "127.0.0.1"}, "remote", "127.0.0.1"),
        ({"rpc.system": "aws-api", "rpc.service": "S3"}, "aws", "S3"),
    ],
)
def test_a_calls_subsegment_is_named_after_the_callee(
    attributes: dict[str, Any], namespace: str, name: str
) -> None:
    made = document(span(2, kind="CLIENT", parent_id="a" * 16, attributes=attributes))
    assert (made["namespace"], made["name"]) == (namespace, name)


@pytest.mark.parametrize(
    ("status", "failed", "flags"),
    [
        (200, "UNSET", set()),
        (404, "UNSET", {"error"}),
        (429, "ERROR", {"error", "throttle"}),
        (500, "ERROR", {"fault"}),
        (None, "ERROR", {"fault"}),
    ],
)
def test_a_failure_is_an_error_a_throttle_or_a_fault(
    status: int | None, failed: str, flags: set[str]
) -> None:
    attributes = {} if status is None else {"http.response.status_code": status}
    made = document(span(1, status=failed, attributes=attributes))
    assert {"error", "fault", "throttle"} & set(made) == flags


async def test_traces_are_found_by_get_trace_summaries() -> None:
    aws, store = EmbeddedAws(), TraceStore()
    await asyncio.to_thread(aws.serve)
    forwarder = XRayForwarder(store, aws.url)
    forwarder.start()
    began = time.time_ns()
    trace_id = f"{int(time.time()):08x}{'a' * 24}"
    # More than fit in one call to X-Ray.
    store.add(
        span(number, trace_id=trace_id, start_ns=began, end_ns=began + 1_000_000)
        for number in range(1, 71)
    )
    client = boto3_client("xray", endpoint_url=aws.url, region=REGION)

    def look() -> int:
        found = client.batch_get_traces(TraceIds=[f"1-{trace_id[:8]}-{trace_id[8:]}"])["Traces"]
        return len(found[0]["Segments"]) if found else 0

    async with asyncio.timeout(60):
        while await asyncio.to_thread(look) < 70:
            await asyncio.sleep(0.02)
    summaries = await asyncio.to_thread(
        client.get_trace_summaries, StartTime=time.time() - 300, EndTime=time.time() + 5
    )
    ids = [one["Id"] for one in summaries["TraceSummaries"]]
    assert ids == [f"1-{trace_id[:8]}-{trace_id[8:]}"]
    await forwarder.stop()
    store.close()
    aws.stop()
