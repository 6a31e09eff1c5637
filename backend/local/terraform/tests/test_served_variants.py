"""What Terraform creates with other options than dev's is served, each service held to its role.

Together the variants have both platforms of the runner, both vector engines and each tracing mode.
Pants puts the layer's packages into the working folder.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local.blueprint import Blueprint, FunctionIntegration
from local.conftest import RunningUp, start_up, stop_up, wait_until
from local.demo.documents import QUESTION
from local.terraform.layer_copy import missing
from local.terraform.readback import EstateReader
from local.terraform.tests.exercised_statements import STATEMENTS, load
from local.tests import adot_layer
from local.tests.traced_requests import call, check_off, faults, trace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(missing()), reason=f"Terraform cannot run here: {'; '.join(missing())}"),
]

VARIANTS = [
    {"runner_platform": "lambda", "vector_backend": "s3vectors", "tracing_mode": "udp"},
    {"runner_platform": "apprunner", "vector_backend": "s3", "tracing_mode": "auto"},
    {"runner_platform": "lambda", "vector_backend": "s3", "tracing_mode": "off"},
    {"runner_platform": "apprunner", "vector_backend": "s3vectors", "tracing_mode": "sdk"},
]

LIMITED = '{"get_status": {"rate_limit": 0.01, "burst_limit": 2}}'


class Served:
    """The estate that Terraform created with some options, as it runs."""

    def __init__(self, options: dict[str, str], folder: Path) -> None:
        self.options = options
        chosen = [part for item in options.items() for part in ("--var", "=".join(item))]
        chosen += ["--var", f"operation_throttles={LIMITED}"]
        if options["tracing_mode"] == "auto":
            chosen += ["--layer", str(adot_layer.unpack(folder / "layer"))]
        self.estate: RunningUp = start_up(
            folder, "--terraform", "--iam", "enforce", *chosen, seconds=600
        )

    def blueprint(self) -> Blueprint:
        return EstateReader(self.estate.variables["AWS_ENDPOINT_URL"]).read()


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda options: "-".join(options.values()))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    served = Served(request.param, tmp_path_factory.mktemp("served"))
    yield served
    assert stop_up(served.estate) == 0


def test_it_has_the_parts_that_were_asked_for(served: Served) -> None:
    blueprint = served.blueprint()
    functions = {function.service for function in blueprint.functions}
    assert ("runner" in functions) == (served.options["runner_platform"] == "lambda")
    assert ("runner" in {one.service for one in blueprint.web_services}) != ("runner" in functions)
    variables = blueprint.function_of("s3vector").environment
    assert variables["VECTOR_BACKEND"] == served.options["vector_backend"]
    assert blueprint.tracing == served.options["tracing_mode"]


def test_the_traces_of_a_question_are_those_of_its_mode(served: Served) -> None:
    if served.options["tracing_mode"] == "off":
        check_off(served.estate)
        return
    assert wait_until(lambda: load(served.estate), seconds=60)
    answer = call(served.estate, "POST", "/api/ask", json={"question": QUESTION})
    assert answer.status_code == 200
    # The layer's script names a service by its function.
    prefix = "fin-advisor-dev-" if served.options["tracing_mode"] == "auto" else ""
    services = {"gateway", "lambda", *(f"{prefix}{name}" for name in ("api", "chat", "s3vector"))}
    spans = trace(served.estate, answer, services)
    assert faults(spans) == []
    assert {span["service"] for span in spans} == services


def test_an_answer_comes_in_events_streamed_unless_the_layer_has_the_wrapper(
    served: Served,
) -> None:
    answer = call(served.estate, "POST", "/api/ask/stream", json={"question": QUESTION})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: done" in answer.text
    streamed = {
        path
        for path, methods in served.blueprint().api.resources.items()
        for method in methods.values()
        if isinstance(method.integration, FunctionIntegration) and method.integration.streams
    }
    assert ("/api/ask/stream" in streamed) == (served.options["tracing_mode"] != "auto")


def test_an_operation_with_a_limit_of_its_own_is_throttled_alone(served: Served) -> None:
    statuses = [call(served.estate, "GET", "/api/status").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    listed = [call(served.estate, "GET", "/api/documents").status_code for _ in range(3)]
    assert listed == [200] * 3


def test_each_service_does_its_work_with_its_role(served: Served) -> None:
    assert wait_until(lambda: load(served.estate), seconds=60)
    for each in STATEMENTS:
        assert wait_until(partial(each.works, served.estate), seconds=60), str(each)
    lacking = [line for line in served.estate.output.read_text().splitlines() if "IAM:" in line]
    assert lacking == []
