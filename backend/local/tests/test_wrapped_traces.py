"""With `tracing_mode` "auto", where each function runs behind the layer's wrapper, a request is one
trace. Pants puts the layer's packages and the deployed packages into the working folder.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.blueprint import LAMBDA_SERVICES
from local.conftest import RunningUp, start_up, stop_up
from local.demo.documents import QUESTION
from local.tests import adot_layer
from local.tests.traced_requests import Spans, call, concurrent_tests, faults, load, trace
from services.declared import CONTAINERS

# The layer's script names a service by its function.
_API, _CHAT, _S3VECTOR = (f"fin-advisor-dev-{name}" for name in ("api", "chat", "s3vector"))
_PLATFORM = {"gateway", "lambda"}
_ASK_SERVICES = {*_PLATFORM, _API, _CHAT, _S3VECTOR}
_FUNCTIONS = {f"fin-advisor-dev-{name}" for name in LAMBDA_SERVICES}
_TEST_SERVICES = {*_PLATFORM, *_FUNCTIONS, *CONTAINERS}


@pytest.fixture(scope="module", params=["sources", "packages"])
def estate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningUp]:
    folder = tmp_path_factory.mktemp(request.param)
    layer = adot_layer.unpack(folder / "layer")
    packages = ("--packages", str(Path.cwd())) if request.param == "packages" else ()
    running = start_up(folder, "--tracing", "auto", "--layer", str(layer), *packages)
    yield running
    assert stop_up(running) == 0


def _request_spans(spans: Spans) -> Counter[str]:
    """The number of request spans of each function. The wrapper's instrumentations, FastAPI's
    telemetry and the shared library could each create one.

    Their parent is the span of Lambda or of the gateway: the wrapper prefers the event's header to
    the runtime's.
    """
    platform = {span["span_id"] for span in spans if span["service"] in _PLATFORM}
    found = [
        span
        for span in spans
        if span["service"] in _FUNCTIONS and "http.route" in span["attributes"]
    ]
    assert {span["parent_id"] for span in found} <= platform
    return Counter(span["service"] for span in found)


def test_a_test_of_all_services_is_one_trace(estate: RunningUp) -> None:
    answer = call(estate, "GET", "/api/test")
    assert answer.status_code == 200
    spans = trace(estate, answer, _TEST_SERVICES)
    assert faults(spans) == []
    assert {span["service"] for span in spans} == _TEST_SERVICES
    assert _request_spans(spans) == dict.fromkeys(_FUNCTIONS, 1)
    assert {span["trace_id"] for span in spans} == {answer.json()["trace_id"]}


def test_a_question_is_one_trace(estate: RunningUp) -> None:
    load(estate)
    answer = call(estate, "POST", "/api/ask", json={"question": QUESTION})
    assert answer.status_code == 200
    spans = trace(estate, answer, _ASK_SERVICES)
    assert faults(spans) == []
    assert {span["service"] for span in spans} == _ASK_SERVICES
    assert _request_spans(spans) == {_API: 1, _CHAT: 1, _S3VECTOR: 1}
    # Spans of the shared library, beside those of the wrapper.
    assert {"search", "retrieve"} <= {span["name"] for span in spans}
    [model, call_of_it] = [span for span in spans if span["name"].startswith("chat ")]
    assert call_of_it["parent_id"] == model["span_id"], (
        "the wrapper's span of botocore's call is below ours"
    )
    assert model["attributes"]["gen_ai.usage.output_tokens"] > 0
    text = json.dumps(spans)
    assert estate.variables["API_KEY"] not in text
    assert QUESTION not in text


def test_under_fifty_concurrent_requests_no_span_is_in_anothers_trace(estate: RunningUp) -> None:
    complete = 0
    for spans in concurrent_tests(estate, _TEST_SERVICES):
        found = _request_spans(spans)
        assert set(found.values()) <= {1}
        complete += set(found) == _FUNCTIONS
    assert complete > 0
