"""The example network for `vpc_config` is valid, and its own suite passes, offline."""

import json
import re

import pytest

from tests.harness import Layer, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    folder = tmp_path_factory.mktemp("network")
    layer = Layer("terraform/modules/network", folder / "network", endpoint_url=None)
    layer.run("init", "-backend=false", "-no-color")
    return layer


def test_it_is_formatted_and_valid(module: Layer) -> None:
    module.run("fmt", "-check", "-recursive", "-diff")
    answer = json.loads(module.run("validate", "-json"))
    assert answer["valid"]
    assert answer["diagnostics"] == []


def test_its_suite_passes(module: Layer) -> None:
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", module.run("test", "-no-color"))
