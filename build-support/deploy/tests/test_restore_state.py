"""A Terraform state that was lost or damaged is restored, and the real terraform goes on."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from deploy import restore
from deploy.program import Refused
from deploy.tests.rehearsal import prepare_account
from local.aws.server import boto3_client
from local.aws.terraform_aws import TerraformAws
from local.blueprint import REGION
from services.declared import SERVICES
from tests.harness import Layer, TerraformError, missing

pytestmark = pytest.mark.skipif(
    missing() is not None, reason=f"Terraform cannot run here: {missing()}"
)

BUCKET: Final = "fin-advisor-tfstate-000000000000-us-east-1"
KEY: Final = "dev/terraform.tfstate"
# One small resource: what is tested is the state.
TABLE: Final = "aws_dynamodb_table.conversations"
OPTIONS: Final = (
    "-var-file=environments/dev.tfvars",
    "-var=runner_platform=lambda",
    f"-target={TABLE}",
)
NOTHING_TO_DO: Final = "No changes. Your infrastructure matches the configuration."


class Estate:
    """An environment with one table, whose state is in the embedded S3."""

    def __init__(self, folder: Path, aws: TerraformAws) -> None:
        self.s3 = boto3_client("s3", endpoint_url=aws.url, region=REGION)
        self.layer = Layer("terraform", folder / "terraform", endpoint_url=aws.url, s3_backend=True)
        (folder / "dist").mkdir()
        for name in SERVICES:
            (folder / "dist" / f"{name}.zip").touch()
        self.applied = b""

    def restore(self, at: datetime, *options: str) -> None:
        folder = ["--terraform", str(self.layer.folder)]
        command = ["--environment", "dev", *folder, "state", "--at", at.isoformat()]
        restore.main([*command, "--yes", *options])

    def now(self) -> datetime:
        """Return a time at which nothing else happens: S3 counts whole seconds."""
        began = int(time.time())
        while int(time.time()) == began:
            time.sleep(0.02)
        return datetime.fromtimestamp(began, UTC) + timedelta(milliseconds=999)

    def planned(self) -> str:
        return self.layer.printed_plan(*OPTIONS)

    def state(self) -> Any:
        return json.loads(self.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())

    def versions(self) -> int:
        return len(self.s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"])


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    aws = TerraformAws()
    aws.serve()
    try:
        estate = Estate(tmp_path_factory.mktemp("restore"), aws)
        estate.s3.create_bucket(Bucket=BUCKET)
        versions = {"Status": "Enabled"}
        estate.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versions)
        # `terraform import` checks every module, and reads every data source.
        prepare_account(lambda name: boto3_client(name, endpoint_url=aws.url, region=REGION))
        estate.layer.init("-backend-config=environments/dev.s3.tfbackend")
        estate.layer.apply(*OPTIONS)
        estate.applied = estate.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        yield estate
    finally:
        aws.stop()


@pytest.fixture(autouse=True)
def program(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "client", lambda *_: estate.s3)
    estate.s3.put_object(Bucket=BUCKET, Key=KEY, Body=estate.applied)


def assert_only_the_table_is_created(plan: str) -> None:
    assert f"# {TABLE} will be created" in plan
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan


def test_a_damaged_state_is_restored_and_terraform_has_nothing_to_do(estate: Estate) -> None:
    before, at = estate.state(), estate.now()
    estate.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b'{"version": 4, "resources": [')
    with pytest.raises(TerraformError):
        estate.planned()
    damaged = estate.now()
    with pytest.raises(Refused, match="is damaged"):
        estate.restore(damaged)
    estate.restore(at, "--dry-run")
    with pytest.raises(TerraformError):
        estate.planned()
    estate.restore(at)
    assert estate.state() == before
    assert NOTHING_TO_DO in estate.planned()


def test_a_deleted_state_is_restored(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    before, at = estate.state(), estate.now()
    estate.s3.delete_object(Bucket=BUCKET, Key=KEY)
    assert_only_the_table_is_created(estate.planned())
    with pytest.raises(Refused, match=r"no version of .*\n  2\S+  deleted\n  2\S+  \d+ bytes"):
        estate.restore(estate.now())
    estate.restore(at)
    assert re.search(
        rf"restored to .*: serial {before['serial']}, 1 resources", capsys.readouterr().out
    )
    assert NOTHING_TO_DO in estate.planned()
    versions = estate.versions()
    estate.restore(at)
    assert "is this state already" in capsys.readouterr().out
    assert estate.versions() == versions


def test_a_resource_of_a_lost_apply_is_taken_over_by_import(estate: Estate) -> None:
    """The last resort of docs/restore.md: a resource that no version of the state knows."""
    estate.now()
    body = estate.state() | {"resources": []}
    estate.s3.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(body).encode())
    assert_only_the_table_is_created(estate.planned())
    estate.layer.run("import", "-no-color", *OPTIONS[:2], TABLE, "fin-advisor-dev-conversations")
    assert NOTHING_TO_DO in estate.planned()


def test_a_state_that_is_locked_is_left_alone(estate: Estate) -> None:
    at = estate.now()
    estate.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"damaged")
    lock = f"{KEY}.tflock"
    estate.s3.put_object(Bucket=BUCKET, Key=lock, Body=b"{}")
    with pytest.raises(Refused, match="is locked"):
        estate.restore(at)
    estate.s3.delete_object(Bucket=BUCKET, Key=lock)
    estate.restore(at)
    assert "Contents" not in estate.s3.list_objects_v2(Bucket=BUCKET, Prefix=lock)
    assert NOTHING_TO_DO in estate.planned()


def test_terraform_waits_while_the_state_is_restored(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = estate.now()
    estate.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"damaged")
    found: list[str] = []
    put = estate.s3.put_object

    def during(**arguments: Any) -> Any:
        if arguments["Key"] == KEY:
            with pytest.raises(TerraformError) as error:
                estate.planned()
            found.append(str(error.value))
        return put(**arguments)

    monkeypatch.setattr(estate.s3, "put_object", during)
    estate.restore(at)
    assert "Error acquiring the state lock" in found[0]
    assert re.search(r"Operation: +restore", found[0])
