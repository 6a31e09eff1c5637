"""The whole evaluation: the project's gate, and a set of one's own with a Bedrock by URL."""

from pathlib import Path
from typing import Any

import pytest

from evaluation.checkout import BACKEND, EvaluationFailed, evaluate_copy
from evaluation.tests.small_set import small_set
from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws
from local.aws.wsgi import Environ, StartResponse
from local.bedrock.runtime import Bedrock


class CountingBedrock(BedrockApi):
    """Counts the calls of each operation."""

    def __init__(self) -> None:
        super().__init__(Bedrock())
        self.calls: dict[str, int] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Any:
        operation = environ["PATH_INFO"].rpartition("/")[2]
        self.calls[operation] = self.calls.get(operation, 0) + 1
        return super().__call__(environ, start_response)


def test_the_gate_passes() -> None:
    report = evaluate_copy(BACKEND)
    assert report["failures"] == []
    assert report["passed"]


def test_a_set_of_ones_own_is_measured_with_a_bedrock_by_url(tmp_path: Path) -> None:
    bedrock = CountingBedrock()
    server = EmbeddedAws([bedrock])
    server.serve()
    try:
        folder = small_set(tmp_path)
        report = evaluate_copy(BACKEND, ["--set", str(folder), "--bedrock", server.url])
    finally:
        server.stop()
    assert report["failures"] == []
    assert [one["name"] for one in report["sections"]] == [
        *("retrieval", "passages", "prompts", "answers", "cost"),
    ]
    # Two passages and three questions; each question reaches the model.
    assert bedrock.calls == {"invoke": 5, "converse": 3}


def test_a_set_that_is_wrong_ends_with_its_reason(tmp_path: Path) -> None:
    folder = small_set(tmp_path)
    (folder / "questions.jsonl").write_text("{}")
    with pytest.raises(EvaluationFailed, match=r"questions\.jsonl, line 1"):
        evaluate_copy(BACKEND, ["--set", str(folder)])
