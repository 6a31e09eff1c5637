"""Running and measuring a function's process under AWS's runtime client."""

from pathlib import Path

import pytest

from benchmarks import packages
from benchmarks.runtime import Environment, FunctionFailed

FUNCTION = """
import threading, time

def burn():
    while time.thread_time() < 0.3:
        pass

def handler(event, context):
    if event["do"] == "burn":
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()
    elif event["do"] == "raise":
        raise ValueError("broken on purpose")
    return {"statusCode": 200 if event["do"] != "refuse" else 500, "body": event["do"]}
"""


@pytest.fixture
def function(tmp_path: Path) -> Environment:
    task = tmp_path / "task"
    task.mkdir()
    (task / "lambda_function.py").write_text(FUNCTION)
    return Environment(task, {}, runtime_client=packages.runtime_client(tmp_path))


def test_cpu_time_counts_threads_that_have_ended(function: Environment) -> None:
    with function:
        assert function.invoke({"do": "nothing"})["body"] == "nothing"
        before = function.cpu_seconds()
        function.invoke({"do": "burn"})
        assert function.cpu_seconds() - before >= 0.3
        assert function.answer_seconds > 0
        assert function.peak_memory_bytes() > 1_000_000


@pytest.mark.parametrize(("do", "says"), [("raise", "broken on purpose"), ("refuse", "500")])
def test_a_failed_answer_ends_the_measurement(function: Environment, do: str, says: str) -> None:
    with function, pytest.raises(FunctionFailed, match=says):
        function.invoke({"do": do})
