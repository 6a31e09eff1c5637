"""The estate that Terraform creates, applied once for all tests of a module."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.server import boto3_client
from local.conftest import RunningUp, start_up, stop_up


def client(applied: RunningUp, service: str) -> Any:
    url = applied.variables["AWS_ENDPOINT_URL"]
    return boto3_client(service, endpoint_url=url, region="us-east-1")


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    folder = tmp_path_factory.mktemp("applied")
    run = ("--run-dir", str(folder / "run"))
    # With each service held to its own role, so every test below shows that the role suffices.
    started = start_up(folder, "--terraform", "--iam", "enforce", *run, seconds=600)
    state = folder / "run" / "var" / "terraform"
    assert (state / "terraform" / "terraform.tfstate").is_file()
    yield started
    assert stop_up(started) == 0
    assert not state.exists()
