"""The plan that was approved is applied, or it is planned and approved again."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy import apply, aws, plan, saved_plan
from deploy.manifest import Manifest
from deploy.program import Refused
from deploy.tests.fakes import TERRAFORM, write_packages
from deploy.traffic import Serving
from local.aws.server import EmbeddedAws, boto3_client

BUCKET = "fin-advisor-tfstate-123456789012-us-east-1"


@pytest.fixture(scope="module")
def account() -> Iterator[EmbeddedAws]:
    served = EmbeddedAws()
    served.serve()
    try:
        s3 = boto3_client("s3", endpoint_url=served.url, region="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield served
    finally:
        served.stop()


@dataclass(frozen=True)
class Job:
    """A machine with the release's files, a fake Terraform, and the state bucket."""

    folder: Path
    s3: Any

    def options(self) -> list[str]:
        terraform = ["--terraform", str(self.folder / "terraform")]
        return ["--environment", "prod", *terraform, "--folder", str(self.folder / "dist")]

    def plan_and_store(self) -> dict[str, str]:
        served = ["--served", str(self.folder / "served.json")]
        plan.main([*self.options(), *served, "--output", str(self.saved)])
        outputs = self.folder / "outputs"
        outputs.write_text("")
        saved_plan.main(["store", *self.options(), "--plan", str(self.saved)])
        assert not self.saved.exists()
        return dict(line.split("=") for line in outputs.read_text().splitlines())

    def fetch(self, stored: dict[str, str]) -> None:
        given = ["--object-version", stored["version"], "--sha256", stored["sha256"]]
        served = ["--served", str(self.folder / "served.json"), "--plan", str(self.saved)]
        saved_plan.main(["fetch", *self.options(), *given, *served])

    @property
    def saved(self) -> Path:
        return self.folder / "saved.tfplan"


@pytest.fixture
def job(tmp_path: Path, account: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    (tmp_path / "dist").mkdir()
    write_packages(tmp_path / "dist")
    _release(tmp_path, "v1.2.0")
    backend = tmp_path / "terraform" / "environments" / "prod.s3.tfbackend"
    backend.parent.mkdir(parents=True)
    backend.write_text(f'bucket = "{BUCKET}"\n')
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    (tmp_path / "bin" / "terraform.json").write_text("{}")
    for name, value in {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": account.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "DEPLOY_APPROVED_BY": "ada",
        "DEPLOY_APPROVED_RELEASE": "v1.2.0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    aws.client.cache_clear()
    yield Job(tmp_path, boto3_client("s3", endpoint_url=account.url, region="us-east-1"))
    aws.client.cache_clear()


def _release(
    folder: Path, release: str, commit: str = "0" * 40, *, api: bytes | None = None
) -> None:
    if api is not None:
        (folder / "dist" / "api.zip").write_bytes(api)
    made = Manifest.create(folder / "dist", release=release, commit=commit)
    made.write(folder / "dist" / "manifest.json")


def test_the_very_plan_that_was_stored_is_applied(job: Job) -> None:
    stored = job.plan_and_store()
    later = job.plan_and_store()  # a later run does not replace what was approved
    assert later["version"] != stored["version"]
    job.fetch(stored)
    assert job.saved.read_text() == "keys\n"
    assert json.loads((job.folder / "served.json").read_text())["environment"] == "prod"
    apply.main([*job.options(), "--plan", str(job.saved)])
    assert not job.saved.exists()


def test_a_plan_is_encrypted_in_the_state_bucket(job: Job) -> None:
    stored = job.plan_and_store()
    found = job.s3.head_object(
        Bucket=BUCKET, Key="plans/prod/saved.tar", VersionId=stored["version"]
    )
    assert found["ServerSideEncryption"] == "AES256"


def test_another_object_is_refused(job: Job) -> None:
    stored = job.plan_and_store()
    with pytest.raises(Refused, match=f"not the one with the SHA-256 {'0' * 64}"):
        job.fetch({**stored, "sha256": "0" * 64})
    assert not job.saved.exists()


def test_a_plan_that_has_expired_is_made_again(job: Job) -> None:
    stored = job.plan_and_store()
    job.s3.delete_object(Bucket=BUCKET, Key="plans/prod/saved.tar", VersionId=stored["version"])
    with pytest.raises(Refused, match=r"has expired\. Run the workflow Deploy"):
        job.fetch(stored)


def test_a_plan_older_than_a_day_has_expired(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 deletes an object up to a day after it has expired."""
    stored = job.plan_and_store()
    monkeypatch.setattr(saved_plan, "_MAX_AGE", timedelta(days=-1))
    with pytest.raises(Refused, match="has expired"):
        job.fetch(stored)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (lambda job: _release(job.folder, "v1.2.1"), "the plan has the release v1.2.0, but"),
        (lambda job: _release(job.folder, "v1.2.0", "1" * 40), "the plan has the commit 000"),
        (
            lambda job: _release(job.folder, "v1.2.0", api=b"another"),
            "the plan has the manifest ",
        ),
        (
            lambda job: (job.folder / "bin" / "terraform").write_text(
                TERRAFORM.replace("1.11.4", "1.12.0")
            ),
            "the plan has the terraform 1.11.4, but this job has 1.12.0",
        ),
        (
            lambda job: (job.folder / "bin" / "terraform.serial").write_text("2"),
            "has changed since the plan was made. Run the workflow Deploy",
        ),
    ],
    ids=["release", "commit", "packages", "terraform", "state"],
)
def test_a_plan_of_something_else_is_refused(job: Job, changed: Any, complaint: str) -> None:
    stored = job.plan_and_store()
    changed(job)
    with pytest.raises(Refused, match=complaint):
        job.fetch(stored)
    assert not job.saved.exists()


def test_a_rollback_during_the_approval_makes_the_plan_stale(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback moves aliases without Terraform, so the state does not show it."""
    stored = job.plan_and_store()
    serving = Serving(runner_image="another")
    monkeypatch.setattr(Serving, "now", lambda outputs: serving)
    with pytest.raises(Refused, match="has changed since the plan was made"):
        job.fetch(stored)


def test_a_backend_without_a_bucket_is_refused(job: Job) -> None:
    path = job.folder / "terraform" / "environments" / "prod.s3.tfbackend"
    path.write_text('path = "state"\n')
    with pytest.raises(Refused, match="names no bucket: apply bootstrap/"):
        job.plan_and_store()
