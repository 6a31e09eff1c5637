"""Runs the suites of both layers with `terraform test`, offline."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from local.terraform.layer_copy import REPOSITORY
from tests.harness import TerraformError, missing
from tests.plans import mocked_layer

SUITES = {
    "bootstrap": ("bootstrap",),
    "terraform": ("services", "keys", "runner", "tracing", "streaming", "refusals", "canary"),
}
Messages = Mapping[tuple[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Messages:
    """What Terraform says of each suite. It runs all suites of a layer in one process."""
    said: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for name, suites in SUITES.items():
        layer = mocked_layer(name, tmp_path_factory.mktemp(name))
        filters = [f"-filter=tests/{suite}.tftest.hcl" for suite in suites]
        try:
            printed = layer.run("test", "-json", *filters)
        except TerraformError as error:  # The test of the suite that failed reports it.
            printed = str(error)
        for line in printed.splitlines():
            if line.startswith("{"):
                message = json.loads(line)
                said[name, message.get("@testfile", "")].append(message)
    return said


@pytest.mark.slow
@pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}")
@pytest.mark.parametrize(
    ("name", "suite"), [(name, suite) for name, suites in SUITES.items() for suite in suites]
)
def test_suite_passes(messages: Messages, name: str, suite: str) -> None:
    of_suite = messages[name, f"tests/{suite}.tftest.hcl"]
    said = "\n".join(
        message["@message"] for message in (*of_suite, *messages[name, ""]) if message["@message"]
    )
    ended = [one["test_file"].get("status") for one in of_suite if one["type"] == "test_file"]
    assert ended[-1:] == ["pass"], said
    runs = [one["test_run"].get("status") for one in of_suite if one["type"] == "test_run"]
    assert {status for status in runs if status} == {"pass"}, said


def test_every_suite_is_run() -> None:
    for name, suites in SUITES.items():
        files = {path.name for path in (REPOSITORY / name / "tests").glob("*.tftest.hcl")}
        assert files - {"environment.tftest.hcl"} == {f"{suite}.tftest.hcl" for suite in suites}
