"""What serves is recorded in Parameter Store, and what no longer serves is pruned."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy import rollback, serving, traffic, versions
from deploy.program import Refused
from deploy.serving import remember
from deploy.tests.fakes import FakeAppRunner, FakeLambda
from deploy.traffic import Alias, Serving
from deploy.versions import prune
from local.aws.server import EmbeddedAws, boto3_client
from local.blueprint import REGION

PARAMETER = "/fin-advisor/dev/serving"
FUNCTION = "fin-advisor-serving-api"  # other tests of this process use dev
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    embedded = EmbeddedAws()
    embedded.serve()
    try:
        yield embedded
    finally:
        embedded.stop()


@pytest.fixture
def client(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(service: str) -> Any:
        return boto3_client(service, endpoint_url=aws.url, region=REGION)

    monkeypatch.setattr(serving, "client", make)
    monkeypatch.setattr(versions, "client", make)
    return make


def _recorded(client: Any) -> Any:
    return json.loads(client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"])


def test_versions_and_image_are_recorded_together(client: Any) -> None:
    aliases = {"api": Alias(FUNCTION, "live", "12")}
    remember(Serving(aliases, runner_image="registry/runner@sha256:0", parameter=PARAMETER))
    expected = {"live_versions": {"api": "12"}, "runner_image": "registry/runner@sha256:0"}
    assert _recorded(client) == expected
    remember(Serving(aliases, parameter=PARAMETER))
    assert _recorded(client) == {"live_versions": {"api": "12"}}


def test_before_the_first_apply_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "client", lambda _: pytest.fail("AWS was called"))
    remember(Serving())


def test_a_rollback_is_recorded_even_if_a_part_cannot_be_moved(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next apply then finishes the rollback instead of undoing it."""
    functions = FakeLambda({FUNCTION: "3"}, stuck=[FUNCTION])
    monkeypatch.setattr(traffic, "client", lambda _: functions)
    target = Serving({"api": Alias(FUNCTION, "live", "2")}, parameter=PARAMETER)
    with pytest.raises(Refused, match="api: fin-advisor-serving-api still serves version 3"):
        rollback.roll_back(target)
    assert _recorded(client) == {"live_versions": {"api": "2"}}


def test_a_record_that_cannot_be_written_does_not_stop_the_rollback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functions, runner = FakeLambda({FUNCTION: "3"}), FakeAppRunner("image-2")
    clients = {"lambda": functions, "apprunner": runner}
    monkeypatch.setattr(traffic, "client", clients.__getitem__)
    monkeypatch.setattr(serving, "client", clients.__getitem__)  # has no ssm
    target = Serving(
        {"api": Alias(FUNCTION, "live", "2")},
        runner_service_arn="arn",
        runner_image="image-1",
        parameter=PARAMETER,
    )
    with pytest.raises(Refused, match=f"the record {PARAMETER}"):
        rollback.roll_back(target)
    assert (functions.versions, runner.image) == ({FUNCTION: "2"}, "image-1")


# --- Old versions ---------------------------------------------------------------------------------


@pytest.fixture
def published(client: Any) -> Iterator[Any]:
    """Publish eight versions; the alias `live` names the third, `canary` the second by weight."""
    role = client("iam").create_role(
        RoleName="fin-advisor-serving-lambda-api",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}),
    )
    functions = client("lambda")
    functions.create_function(
        FunctionName=FUNCTION,
        Role=role["Role"]["Arn"],
        Code={"ZipFile": _package(0)},
        Handler="a.b",
        Runtime="python3.13",
    )
    for content in range(1, 9):
        functions.update_function_code(
            FunctionName=FUNCTION, ZipFile=_package(content), Publish=True
        )
    functions.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="3")
    functions.create_alias(
        FunctionName=FUNCTION,
        Name="canary",
        FunctionVersion="8",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    yield functions
    functions.delete_function(FunctionName=FUNCTION)


def _package(content: int) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("a.py", str(content))
    return buffer.getvalue()


def _versions(functions: Any) -> list[str]:
    found = functions.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    return [item["Version"] for item in found]


def test_no_version_that_an_alias_names_is_pruned(published: Any) -> None:
    assert prune(FUNCTION, served=["5"], kept=3) == ["4", "1"]
    assert _versions(published) == ["$LATEST", "2", "3", "5", "6", "7", "8"]
    assert prune(FUNCTION, served=[], kept=3) == ["5"]
    assert prune(FUNCTION, served=[], kept=3) == []
