"""The workflow's steps deploy three releases, two of them broken, to an embedded AWS account."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from deploy.tests.fakes import Code
from deploy.tests.rehearsal import Deploy, Rehearsal, Response, rehearsal
from deploy.tests.workflow import python_path
from tests.harness import missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

_FIRST = Code("v1.0.0")
_DOES_NOT_START = Code("v1.1.0", starts=False)
_DOES_NOT_ANSWER = Code("v1.2.0", answers=False)


@dataclass
class History:
    """The deploys in their order, and the responses that a client got during and after each."""

    first: Deploy
    not_starting: Deploy
    not_answering: Deploy
    during: dict[str, list[Response]]
    after: dict[str, Response]
    account: Rehearsal


def _deploy(account: Rehearsal, code: Code) -> Deploy:
    artifact = account.build(code.release, code)
    manifest = [sys.executable, "-m", "deploy.manifest", "create"]
    options = ["--release", code.release, "--commit", "0" * 40, "--folder", str(artifact)]
    subprocess.run(
        [*manifest, *options],
        env={**account.environment, "PYTHONPATH": ":".join(sys.path)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    digest = hashlib.sha256((artifact / "manifest.json").read_bytes()).hexdigest()
    return account.deploy(code.release, artifact, digest, code)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    with rehearsal(tmp_path_factory.mktemp("rehearsal")) as account:
        first = _deploy(account, _FIRST)
        assert first.run.succeeded, "\n".join(first.run.printed.values())
        deploys, during, after = {}, {}, {}
        for code in (_DOES_NOT_START, _DOES_NOT_ANSWER):
            client = account.client_program()
            with client.calling():
                deploys[code.release] = _deploy(account, code)
            during[code.release] = client.responses
            after[code.release] = client.call()
        yield History(first, deploys["v1.1.0"], deploys["v1.2.0"], during, after, account)


def test_a_release_that_works_is_deployed_and_passes_its_smoke_test(history: History) -> None:
    assert history.first.run.outcomes["Smoke test"] == "success"
    assert history.first.run.outcomes["Roll back"] == "skipped"
    printed = history.first.run.printed["Smoke test"]
    assert "X-Ray has the trace" in printed
    assert "api reads its own key" in printed
    assert "the model answers" in printed
    assert "::warning::" not in printed


def test_a_release_that_does_not_start_never_serves(history: History) -> None:
    run = history.not_starting.run
    assert run.outcomes["Apply the plan"] == "success"
    assert run.outcomes["Test the new versions"] == "failure"
    assert run.outcomes["Send traffic to them"] == "skipped"
    assert run.outcomes["Roll back"] == "success"
    assert len(history.during["v1.1.0"]) > 10
    assert {_answer(response) for response in history.during["v1.1.0"]} == {(200, "v1.0.0")}


def test_a_release_that_does_not_answer_is_rolled_back_and_the_first_answers(
    history: History,
) -> None:
    run, began = history.not_answering.run, history.not_answering.began
    assert run.outcomes["Send traffic to them"] == "success"
    assert run.outcomes["Smoke test"] == "failure"
    assert run.outcomes["Roll back"] == "success"
    last = "Smoke test after the rollback"
    assert run.outcomes[last] == "success", run.printed[last]
    assert _answer(history.after["v1.2.0"]) == (200, "v1.0.0")
    broken = [one for one in history.during["v1.2.0"] if _answer(one) != (200, "v1.0.0")]
    assert broken
    assert min(one.ended for one in broken) > began["Send traffic to them"]
    assert max(one.began for one in broken) < began["Smoke test after the rollback"]


def _answer(response: Response) -> tuple[int, str]:
    return response.status, response.release


def test_terraform_moves_no_traffic(history: History) -> None:
    """A plan after a rollback changes neither the aliases nor the image."""
    for deploy in (history.not_starting, history.not_answering):
        printed = deploy.run.printed["Plan"]
        assert "module.api.aws_lambda_function.main" in printed
        assert "aws_lambda_alias" not in _table(printed)
        assert "aws_apprunner_service" not in _table(printed)


def _table(printed: str) -> str:
    return "\n".join(line for line in printed.splitlines() if line.startswith("| "))


def test_the_rehearsal_detects_a_rollback_that_does_nothing(history: History) -> None:
    account = history.account
    _run(account, "promote", "--environment", "dev")  # the broken release serves again
    program = account.checkout / "build-support" / "deploy" / "rollback.py"
    working = program.read_text()
    broken = working.replace("alias.move(alias.version)", "pass")
    assert broken != working
    try:
        program.write_text(broken)
        _run(account, "rollback", "--environment", "dev")
        assert account.client_program().call().status == 502
        assert _run(account, "smoke", "--environment", "dev", "--patience", "1").returncode == 1
    finally:
        program.write_text(working)
    _run(account, "rollback", "--environment", "dev")
    assert _answer(account.client_program().call()) == (200, "v1.0.0")


def test_the_share_that_a_dead_canary_left_is_found(history: History) -> None:
    """By the next deploy and the drift report, because Terraform's configuration has no share."""
    account = history.account
    client = account.client("lambda")
    alias = {"FunctionName": "fin-advisor-dev-api", "Name": "live"}
    client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    planned = _run(account, "plan", "--environment", "dev")
    assert planned.returncode == 0, planned.stderr
    assert "::warning::api sends 10% of the requests to version 2" in planned.stdout
    assert "module.api.aws_lambda_alias.live" in _table(planned.stdout)
    client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})


def test_a_plan_that_replaces_a_secret_is_refused_unless_it_is_allowed(history: History) -> None:
    address = 'aws_secretsmanager_secret.api_key["client"]'
    # The test before has compared the state with the account.
    options = ("--environment", "dev", f"--option=-replace={address}", "--option=-refresh=false")
    refused = _run(history.account, "plan", *options)
    assert refused.returncode == 1
    assert f"{address}: the plan would replace it" in refused.stderr
    assert not (history.account.checkout / "dist" / "saved.tfplan").exists()
    allowed = _run(history.account, "plan", *options, "--allow", address)
    assert allowed.returncode == 0, allowed.stderr


def _run(account: Rehearsal, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"deploy.{program}", *arguments],
        cwd=account.checkout,
        env={**account.environment, "PYTHONPATH": python_path(account.checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
