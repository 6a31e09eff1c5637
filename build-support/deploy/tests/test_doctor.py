"""The doctor finds nothing in a prepared account, and each mistake where there is one."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from deploy import doctor
from deploy.diagnosis import findings, quotas
from deploy.program import Refused
from deploy.tests.account import (
    BUCKET,
    PROVIDER,
    Account,
    checkout,
    set_gateway_role,
)
from deploy.tests.fakes import FakeAccount
from deploy.variables import Variables
from local.blueprint import ACCOUNT_ID, REGION


@dataclass
class Patient:
    """An account and a checkout; every test gets them as bootstrap/ leaves them behind."""

    folder: Path
    client: Callable[[str], Any]
    fake: FakeAccount
    capture: pytest.CaptureFixture[str]

    def write(self, file: str, old: str, new: str) -> None:
        path = self.folder / "environments" / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def set(self, name: str, value: str) -> None:
        path = self.folder / "environments" / "dev.tfvars"
        path.write_text(f'{path.read_text()}\n{name} = "{value}"\n')

    def findings(self) -> list[tuple[str, str, str, str]]:
        """Run the doctor and return check, severity, problem and advice of each finding."""
        code = 0
        try:
            doctor.main(["--environment", "dev", "--json", "--terraform", str(self.folder)])
        except Refused:
            code = 1
        found = json.loads(self.capture.readouterr().out)
        assert code == any(item["severity"] == "blocker" for item in found)
        return [
            (item["check"], item["severity"], item["problem"], item["advice"]) for item in found
        ]

    def one(self) -> tuple[str, str, str, str]:
        [finding] = self.findings()
        return finding


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    account = Account()
    try:
        yield account
    finally:
        account.stop()


@pytest.fixture
def patient(
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Patient]:
    monkeypatch.setattr(findings, "client", account.client)
    monkeypatch.setenv("AWS_REGION", REGION)
    made = Patient(checkout(tmp_path / "terraform"), account.client, account.fake, capsys)
    with account.fake.unchanged_afterwards():
        yield made


@pytest.fixture
def operated(account: Account, patient: Patient) -> Iterator[Patient]:
    """Return a patient whose account the test changes; it is renewed afterwards."""
    yield patient
    account.fake.refusals.clear()
    account.renew()


def test_a_prepared_account_has_no_finding(patient: Patient) -> None:
    assert patient.findings() == []
    doctor.main(["--environment", "dev", "--terraform", str(patient.folder)])
    assert (
        f"dev in account {ACCOUNT_ID}: nothing wrong with region"
        in patient.capture.readouterr().out
    )


def test_the_findings_are_printed_with_what_to_do(patient: Patient) -> None:
    patient.fake.has_layers = False
    with pytest.raises(Refused, match="1 of these findings would make a deploy fail"):
        doctor.main(["--environment", "dev", "--terraform", str(patient.folder)])
    printed = patient.capture.readouterr().out
    assert (
        "blocker: layer: the layer arn:aws:lambda:us-east-1:901920570463:layer:aws-otel" in printed
    )
    assert '    Set tracing_mode = "udp" in environments/dev.tfvars' in printed


# --- Account and region ---------------------------------------------------------------------------


def test_credentials_that_aws_refuses_end_the_examination(patient: Patient) -> None:
    patient.fake.refusals["/"] = (403, "ExpiredToken", "The security token is expired")
    with pytest.raises(Refused, match=r"AWS refuses these credentials: .*Sign in again"):
        doctor.main(["--environment", "dev", "--terraform", str(patient.folder)])


def test_missing_credentials_end_the_examination(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(
        findings, "client", lambda service, region: boto3.client(service, region_name=region)
    )
    with pytest.raises(Refused, match="there are no AWS credentials: run `aws configure sso`"):
        doctor.main(["--environment", "dev", "--terraform", str(patient.folder)])


@pytest.mark.parametrize("found", ["eu-west-1", ""])
def test_another_region_in_the_shell(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    monkeypatch.setenv("AWS_REGION", found)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    check, severity, problem, advice = patient.one()
    assert (check, severity) == ("region", "blocker")
    assert f"uses the region {found or '(none)'}, but environments/dev.tfvars says" in problem
    assert advice.startswith("export AWS_REGION=us-east-1")


def test_names_that_are_too_long(patient: Patient) -> None:
    patient.set("project_name", "a-financial-advisor-project-of-mine")
    found = [item for item in patient.findings() if item[0] == "names"]
    assert [item[2].partition(",")[0] for item in found] == [
        "the name of an S3 bucket",
        "the name of an X-Ray sampling rule",
        "the name of an App Runner service",
    ]
    assert "has 70 characters; AWS allows 63" in found[0][2]
    assert "Choose a shorter project_name" in found[0][3]


def test_roles_that_bootstrap_did_not_create(operated: Patient) -> None:
    for name in ("lambda-api", "apprunner-image"):
        operated.client("iam").delete_role(RoleName=f"fin-advisor-dev-{name}")
    check, severity, problem, advice = operated.one()
    assert (check, severity) == ("roles", "blocker")
    assert problem.endswith("no roles fin-advisor-dev-lambda-api, fin-advisor-dev-apprunner-image")
    assert 'Apply bootstrap/ with "dev" in environments' in advice


def test_a_layer_that_the_region_lacks(patient: Patient) -> None:
    patient.fake.has_layers = False
    check, severity, problem, _ = patient.one()
    assert (check, severity) == ("layer", "blocker")
    assert "aws-otel-collector-amd64-ver-0-117-0:1 cannot be read" in problem
    patient.set("tracing_mode", "udp")
    assert patient.findings() == []


# --- State and singletons -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (ACCOUNT_ID, "000000000000", "names the bucket of a placeholder"),
        (ACCOUNT_ID, "999999999999", "names the bucket of account 999999999999"),
        ("dev/terraform", "prod/terraform", "names the state 'prod/terraform.tfstate'"),
        (REGION + '"\nkey', 'elsewhere"\nkey', "-elsewhere does not exist"),
    ],
)
def test_a_backend_file_of_another_account_or_environment(
    patient: Patient, old: str, new: str, problem: str
) -> None:
    patient.write("dev.s3.tfbackend", old, new)
    check, severity, found, advice = patient.one()
    assert (check, severity) == ("state", "blocker")
    assert problem in found
    assert advice


def test_a_missing_backend_file(patient: Patient) -> None:
    (patient.folder / "environments" / "dev.s3.tfbackend").unlink()
    assert patient.one()[:3] == ("state", "blocker", "dev.s3.tfbackend does not exist")


def test_a_state_in_another_region(patient: Patient) -> None:
    patient.write("dev.s3.tfbackend", f'region       = "{REGION}"', 'region       = "eu-west-1"')
    assert patient.one()[:3] == (
        "state",
        "warning",
        "the state is in eu-west-1, the environment in us-east-1",
    )


def test_a_state_bucket_that_may_not_be_read(patient: Patient) -> None:
    patient.fake.refusals[f"/{BUCKET}"] = (403, "AccessDenied", "Access Denied")
    found = {item[0]: item for item in patient.findings()}
    assert found["state"][2] == f"the state bucket {BUCKET} answers 403"


def test_an_account_without_bootstrap_that_has_the_singletons_already(operated: Patient) -> None:
    operated.client("s3").delete_bucket(Bucket=BUCKET)
    found = [item for item in operated.findings() if item[0] == "singletons"]
    assert [item[2].partition(" already")[0] for item in found] == [
        "the account has GitHub's OIDC provider",
        "the account has a logging role of API Gateway",
    ]
    folder = operated.folder.parent / "bootstrap" / "accounts"
    folder.mkdir(parents=True)
    text = "create_github_oidc_provider = false\nenable_api_gateway_account = false\n"
    (folder / "other.tfvars").write_text(f'account_id = "999999999999"\n{text}')
    assert len([item for item in operated.findings() if item[0] == "singletons"]) == 2
    (folder / "main.tfvars").write_text(f'account_id = "{ACCOUNT_ID}"\n{text}')
    assert [item for item in operated.findings() if item[0] == "singletons"] == []


def test_an_account_with_bootstrap_that_lacks_the_singletons(operated: Patient) -> None:
    operated.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    set_gateway_role(operated.client, "")
    found = operated.findings()
    assert [item[:2] for item in found] == [("singletons", "blocker"), ("singletons", "warning")]
    assert "enable_api_gateway_account = true" in found[0][3]


# --- Quotas ---------------------------------------------------------------------------------------


def test_a_new_accounts_concurrency(patient: Patient) -> None:
    patient.fake.settings["AccountLimit"]["ConcurrentExecutions"] = 10
    check, severity, problem, advice = patient.one()
    assert (check, severity) == ("quotas", "warning")
    assert "at most 10 executions at once" in problem
    assert "Concurrent executions" in advice


@pytest.mark.parametrize(("used", "severity"), [(61, "warning"), (75, "blocker")])
def test_code_storage_that_is_nearly_or_quite_full(
    patient: Patient, used: int, severity: str
) -> None:
    patient.fake.settings["AccountUsage"]["TotalCodeSize"] = used << 30
    found = patient.one()
    assert found[:2] == ("quotas", severity)
    assert f"({used << 10} of 76800 MiB, all functions of the account)" in found[2]


def test_a_gateway_with_little_room_for_keys_and_plans(
    operated: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        quotas,
        "_GATEWAY_QUOTAS",
        {"API keys": ("get_api_keys", 11, 10), "usage plans": ("get_usage_plans", 11, 10)},
    )
    assert operated.findings() == []
    for number in range(2):
        operated.client("apigateway").create_api_key(name=f"key-{number}")
        operated.client("apigateway").create_usage_plan(name=f"plan-{number}")
    assert [item[2].partition(" in this")[0] for item in operated.findings()] == [
        "API Gateway has 2 API keys",
        "API Gateway has 2 usage plans",
    ]


# --- Runner ---------------------------------------------------------------------------------------


def test_an_account_that_never_used_app_runner(operated: Patient) -> None:
    operated.client("iam").delete_role(RoleName="AWSServiceRoleForAppRunner")
    check, severity, problem, advice = operated.one()
    assert (check, severity) == ("runner", "blocker")
    assert problem.startswith("this account has never used App Runner")
    assert advice.startswith('Set runner_platform = "lambda" in environments/dev.tfvars')
    operated.write("dev.tfvars", '"apprunner"\n', '"lambda"\n')
    assert operated.findings() == []


def test_an_account_that_app_runner_refuses(patient: Patient) -> None:
    patient.fake.refusals["AppRunner."] = (400, "AccessDeniedException", "not open")
    assert patient.one()[2].startswith("App Runner refuses this account")


def test_an_empty_image_repository(operated: Patient) -> None:
    operated.client("ecr").batch_delete_image(
        repositoryName="fin-advisor/runner", imageIds=[{"imageTag": "commit-1"}]
    )
    assert operated.one()[:3] == (
        "runner",
        "blocker",
        "the ECR repository fin-advisor/runner has no image for the first apply",
    )
    operated.client("ecr").delete_repository(repositoryName="fin-advisor/runner")
    assert operated.one()[0] == "runner"


# --- Models ---------------------------------------------------------------------------------------

FORM: Final = "Model use case details have not been submitted for this account."


@pytest.mark.parametrize(
    ("refusal", "severity", "advice"),
    [
        ((404, "ResourceNotFoundException", FORM), "blocker", "Submit Anthropic's form once"),
        ((403, "AccessDeniedException", "no"), "blocker", "Allow bedrock:InvokeModel on it"),
        ((400, "ValidationException", "Wrong id"), "blocker", "Set chat_model_id to a model"),
        ((429, "ThrottlingException", "Too many"), "warning", "Run this program again"),
    ],
)
def test_a_chat_model_that_does_not_answer(
    patient: Patient, refusal: tuple[int, str, str], severity: str, advice: str
) -> None:
    patient.fake.refusals["/converse"] = refusal
    found = patient.one()
    assert found[:2] == ("models", severity)
    problem = f"us.anthropic.claude-sonnet-5-5 (chat_model_id) does not answer: {refusal[1]}"
    assert problem in found[2]
    assert found[3].startswith(advice)


def test_an_embedding_model_that_does_not_exist(patient: Patient) -> None:
    patient.set("bedrock_model_id", "amazon.titan-embed-text-v9:0")
    check, severity, problem, _ = patient.one()
    assert (check, severity) == ("models", "blocker")
    assert "amazon.titan-embed-text-v9:0 (bedrock_model_id) does not answer" in problem


# --- What could not be checked --------------------------------------------------------------------


def test_a_check_that_may_not_be_made_is_a_warning(patient: Patient) -> None:
    patient.fake.refusals["/account-settings"] = (403, "AccessDeniedException", "not authorized")
    assert patient.one() == (
        "quotas",
        "warning",
        "it could not be checked: An error occurred (AccessDeniedException) when calling the "
        "GetAccountSettings operation: not authorized",
        "Allow GetAccountSettings to whoever runs this program",
    )


# --- Variables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_variables_are_those_of_the_file_over_their_defaults(environment: str) -> None:
    variables = Variables.read(environment)
    assert variables.prefix == f"fin-advisor-{environment}"
    assert variables["runner_platform"] in {"apprunner", "lambda"}
    assert variables["tracing_mode"] == "sdk"
    assert "adot_layer_arn" not in variables.values  # null
    with pytest.raises(Refused, match=r"\.tfvars does not set domain"):
        variables["domain"]
