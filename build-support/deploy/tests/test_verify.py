"""The verification proves nothing without AWS, reports what is wrong, and removes what it made."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from deploy import canary, traffic, verify
from deploy.diagnosis import findings
from deploy.program import Refused
from deploy.tests.account import Account, checkout
from deploy.tests.emulated import AppliedPolicies, AppliedRules, NoFunctions, RunningFunctions
from deploy.tests.fakes import Environ, StartResponse, serving
from deploy.verification import functions, gateway
from deploy.verification.claims import NotTried, Outcome, Trial
from deploy.verification.page import PAGE, page, section, written
from local.blueprint import REGION

NOBODY: Final = '{"Version": "2012-10-17", "Statement": []}'
ANYTHING: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}],
    }
)
BUCKET: Final = "fin-advisor-dev-jobs-1"
RULE: Final = {
    "ID": "old-versions",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


@dataclass
class Bench:
    """An account in which a deploy role, a bucket and a key exist, and how to verify it."""

    account: Account
    folder: Path
    capture: pytest.CaptureFixture[str]

    def client(self, service: str) -> Any:
        return self.account.client(service)

    def run(self, *options: str, page: Path | None = None) -> tuple[dict[str, str], str]:
        """Run the program; return the line of each claim, and why the program failed."""
        to = ["--page", str(page)] if page else []
        arguments = ["--environment", "dev", "--terraform", str(self.folder), "--patience", "0"]
        problem = ""
        try:
            verify.main([*arguments, *to, *options])
        except Refused as refusal:
            problem = str(refusal)
        lines = self.capture.readouterr().out.splitlines()
        names = [claim.name for claim in verify.CLAIMS]
        found = {name: line for name in names for line in lines if f": {name}: " in line}
        return found, problem

    def things(self) -> list[str]:
        """Return the names of all that a trial could leave behind."""
        return sorted(
            [
                *(each["RoleName"] for each in self.client("iam").list_roles()["Roles"]),
                *(each["name"] for each in self.client("apigateway").get_rest_apis()["items"]),
                *(
                    each["FunctionName"]
                    for each in self.client("lambda").list_functions()["Functions"]
                ),
                *(
                    each["Key"]
                    for each in self.client("s3")
                    .list_multipart_uploads(Bucket=BUCKET)
                    .get("Uploads", [])
                ),
            ]
        )


@contextmanager
def _bench(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch, capture: Any
) -> Iterator[Bench]:
    for module in (findings, traffic, canary):
        monkeypatch.setattr(module, "client", account.client)
    monkeypatch.setattr(canary, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(functions, "_POLL_SECONDS", 0.0)
    monkeypatch.setenv("AWS_REGION", REGION)
    bench = Bench(account, checkout(folder / "terraform"), capture)
    iam, s3 = bench.client("iam"), bench.client("s3")
    policy = iam.create_policy(PolicyName="deploy", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    iam.create_role(
        RoleName="fin-advisor-dev-deploy",
        AssumeRolePolicyDocument=NOBODY,
        PermissionsBoundary=policy,
    )
    iam.attach_role_policy(RoleName="fin-advisor-dev-deploy", PolicyArn=policy)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [RULE]})
    before = bench.things()
    try:
        yield bench
        account.fake.refusals.clear()
        assert bench.things() == before
    finally:
        account.renew()


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    account = Account(NoFunctions())
    try:
        yield account
    finally:
        account.stop()


@pytest.fixture
def bench(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Iterator[Bench]:
    """An embedded AWS as it is. After the test, nothing may be left of what a trial made."""
    with account.fake.unchanged_afterwards(), _bench(account, tmp_path, monkeypatch, capsys) as it:
        yield it


@dataclass
class Complete:
    """An account that does what AWS does, as far as claims can tell."""

    bench: Bench
    functions: RunningFunctions
    policies: AppliedPolicies
    rules: AppliedRules


@pytest.fixture(scope="module")
def equipped() -> Iterator[tuple[Account, RunningFunctions, AppliedPolicies, AppliedRules]]:
    accounts: list[Account] = []

    def client(service: str) -> Any:
        return accounts[0].client(service)

    stand_ins = RunningFunctions(client), AppliedPolicies(client), AppliedRules()
    accounts.append(Account(*stand_ins))
    try:
        yield accounts[0], *stand_ins
    finally:
        accounts[0].stop()


@pytest.fixture
def complete(
    equipped: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Iterator[Complete]:
    account, running, policies, rules = equipped
    running.stuck, policies.forgotten, policies.denied = False, None, None
    with account.fake.unchanged_afterwards(), _bench(account, tmp_path, monkeypatch, capsys) as it:
        layer = it.client("lambda").publish_layer_version(
            LayerName="adot", Content={"ZipFile": b"layer"}
        )["LayerVersionArn"]
        variables = it.folder / "environments" / "dev.tfvars"
        variables.write_text(f'{variables.read_text()}\nadot_layer_arn = "{layer}"\n')
        yield Complete(it, running, policies, rules)
        assert not rules.open


# --- Without AWS ----------------------------------------------------------------------------------


def test_an_emulator_proves_no_claim(bench: Bench, tmp_path: Path) -> None:
    found, problem = bench.run(page=tmp_path / "page.md")
    assert found.keys() == {claim.name for claim in verify.CLAIMS}
    assert all(line.startswith("not tried: ") for line in found.values()), found
    assert problem == ""
    assert "does not apply policies" in found["denials by tag"]
    assert "is not AWS, and applies no rule" in found["S3 lifecycle"]
    assert "is not AWS; there: " in found["models"]
    text = (tmp_path / "page.md").read_text()
    assert text.count("| not tried |") == len(verify.CLAIMS)
    assert "| proven |" not in text


def test_the_documentation_has_verdicts_of_aws_only(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "PAGE", tmp_path / "verified.md")
    bench.run()
    assert not (tmp_path / "verified.md").exists()


def test_a_claim_that_holds_in_an_emulator_is_still_not_proven(complete: Complete) -> None:
    found, problem = complete.bench.run()
    assert problem == ""
    for name in ("denials by tag", "alias shift", "ADOT layer", "S3 lifecycle"):
        assert found[name].startswith("not tried: "), found[name]
        assert "is not AWS; there: " in found[name]


def test_the_same_answers_of_aws_prove_it(
    complete: Complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trial, "is_aws", True)
    names = ("denials by tag", "alias shift", "ADOT layer", "S3 lifecycle")
    options = [option for name in names for option in ("--only", name)]
    found, problem = complete.bench.run(*options, page=tmp_path / "page.md")
    assert problem == ""
    assert all(line.startswith("proven: ") for line in found.values()), found
    assert "7 requests were allowed or denied" in found["denials by tag"]
    assert not (tmp_path / "page.md").exists()


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://sts.us-east-1.amazonaws.com", True),
        ("https://sts.cn-north-1.amazonaws.com.cn", True),
        ("http://127.0.0.1:5000", False),
        ("https://sts.amazonaws.com.example.org", False),
        ("https://notamazonaws.com", False),
    ],
)
def test_aws_is_known_by_its_host(
    endpoint: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trial, "endpoint", endpoint)
    assert Trial(examined=None).is_aws is expected  # type: ignore[arg-type]


# --- What is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forgotten", "problem"),
    [
        (("DELETE", "/tags"), "the role may remove its tag Environment"),
        (("GET", "/restapis"), "the role may read an API of another environment"),
        (("PATCH", "/restapis"), "the role may change that one"),
        (("PUT", "/tags"), "the role may take it by a tag"),
    ],
)
def test_a_request_that_is_not_denied_is_named(
    complete: Complete, forgotten: tuple[str, str], problem: str
) -> None:
    complete.policies.forgotten = forgotten
    found, failure = complete.bench.run("--only", "denials by tag")
    assert found["denials by tag"] == f"wrong: denials by tag: {problem}"
    assert failure == "wrong: denials by tag"


def test_a_request_that_should_not_be_denied_is_named(complete: Complete) -> None:
    complete.policies.denied = ("PATCH", "/restapis")
    found, failure = complete.bench.run("--only", "denials by tag")
    assert found["denials by tag"] == "wrong: denials by tag: the role may not change it"
    assert failure == "wrong: denials by tag"


def test_an_alias_that_does_not_shift_is_wrong(complete: Complete) -> None:
    complete.functions.stuck = True
    found, failure = complete.bench.run("--only", "alias shift")
    assert "the versions got {'1': 20} instead of some for each of 1, 2" in found["alias shift"]
    assert failure == "wrong: alias shift"


def test_a_rule_that_s3_does_not_apply_is_wrong(
    complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trial, "is_aws", True)
    monkeypatch.setattr(complete.rules, "rule", "another")
    found, failure = complete.bench.run("--only", "S3 lifecycle")
    assert "does not apply the rule old-versions of fin-advisor-dev-jobs-1" in found["S3 lifecycle"]
    assert failure == "wrong: S3 lifecycle"


def test_what_the_doctor_finds_is_wrong_with_its_advice(bench: Bench) -> None:
    bench.account.fake.has_layers = False
    bench.account.fake.refusals["/model/"] = (403, "AccessDeniedException", "no access")
    found, failure = bench.run()
    assert "cannot be read: AccessDeniedException. Set tracing_mode" in found["ADOT layer"]
    assert "does not answer: AccessDeniedException" in found["models"]
    assert failure == "wrong: ADOT layer, models"


def test_what_may_not_be_tried_is_no_proof(bench: Bench) -> None:
    bench.account.fake.refusals["/2015-03-31/functions"] = (403, "AccessDeniedException", "no")
    found, failure = bench.run("--only", "alias shift")
    assert found["alias shift"].startswith("not tried: alias shift: ClientError: ")
    assert failure == ""


def test_what_cannot_be_removed_is_named(complete: Complete) -> None:
    refusals = complete.bench.account.fake.refusals

    def refuse_removal(*_: object) -> Any:
        refusals["/2015-03-31/functions/"] = (403, "AccessDeniedException", "not you")
        raise NotTried("enough")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "_invoked", refuse_removal)
        found, failure = complete.bench.run("--only", "ADOT layer")
    assert found["ADOT layer"] == "not tried: ADOT layer: enough"
    assert "not removed, remove it by hand: function fin-advisor-dev-verify-" in failure
    refusals.clear()
    for each in complete.bench.client("lambda").list_functions()["Functions"]:
        complete.bench.client("lambda").delete_function(FunctionName=each["FunctionName"])


# --- The gateway ----------------------------------------------------------------------------------


def _gateway(statuses: dict[str, int]) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        key = "key" if environ.get("HTTP_X_API_KEY") == "value" else "none"
        status = statuses[f"{key} {environ['PATH_INFO']}"]
        start_response(f"{status} Answer", [("Content-Type", "application/json")])
        return [b'{"error": "missing_scope"}' if status == 403 else b"{}"]

    return application


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, ""),
        ({"key /api/status": 403}, "GET /api/status answered 403 to the key client"),
        ({"key /s3vector/documents": 200}, "GET /s3vector/documents answered 200 to the key"),
        ({"none /api/status": 200}, "GET /api/status answered 200 without a key"),
    ],
)
def test_a_key_has_the_scopes_of_its_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, changed: dict[str, int], problem: str
) -> None:
    bench.client("secretsmanager").create_secret(
        Name="fin-advisor/dev/client/api-key", SecretString="value"
    )
    statuses = {"key /api/status": 200, "key /s3vector/documents": 403, "none /api/status": 403}
    with serving(_gateway(statuses | changed)) as url:
        monkeypatch.setattr(gateway, "stage_url", lambda _: url)
        found, _ = bench.run("--only", "key ids")
    assert (problem or "the services told keys apart by their ids") in found["key ids"]
    assert found["key ids"].startswith("wrong" if problem else "not tried")


# --- The page -------------------------------------------------------------------------------------


def test_the_page_keeps_the_other_environments(tmp_path: Path) -> None:
    outcomes = [Outcome(claim, "proven", "a | b\nc") for claim in verify.CLAIMS]
    sections = {"prod": section(outcomes, date(2026, 12, 1), "account …9012, us-east-1")}
    file = tmp_path / "page.md"
    file.write_text(page(verify.CLAIMS, sections))
    assert written(file) == sections
    file.write_text(page(verify.CLAIMS, written(file) | {"dev": "On 2026-12-02, here.\n"}))
    assert written(file) == sections | {"dev": "On 2026-12-02, here.\n"}
    text = file.read_text()
    assert text.index("## dev") < text.index("## prod")
    assert "| models | proven | a \\| b c |" in text


def test_the_committed_page_has_every_claim() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(verify.CLAIMS, written(PAGE))


# --- The program ----------------------------------------------------------------------------------


def test_another_region_in_the_shell_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    found, problem = bench.run()
    assert found == {}
    assert "export AWS_REGION=us-east-1" in problem


def test_a_dry_run_names_the_claims(capsys: pytest.CaptureFixture[str]) -> None:
    verify.main(["--environment", "dev", "--dry-run"])
    assert capsys.readouterr().out.startswith("would try in dev: denials by tag, key ids, ")
