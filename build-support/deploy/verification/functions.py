"""Claims about functions, tried on a function that is made for it: alias, metrics, layer."""

import io
import json
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from deploy import canary
from deploy.checks import CheckFailed
from deploy.diagnosis import account
from deploy.traffic import Alias
from deploy.verification.claims import NotTried, Trial, without_findings

_ALIAS: Final = "live"
_ROUND: Final = 20  # If each version gets half, one of them gets none once in a million rounds.
_POLL_SECONDS: Final = 5.0
_CODE: Final = """\
def handler(event, context):
    return context.function_version
"""
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def an_alias_shifts_traffic(trial: Trial) -> str:
    """Split the requests of an alias, move it, and read the metrics that a canary decides by."""
    with _function(trial) as name:
        functions = trial.client("lambda")
        first = functions.publish_version(FunctionName=name)["Version"]
        functions.update_function_configuration(FunctionName=name, Description="second")
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)
        second = functions.publish_version(FunctionName=name)["Version"]
        functions.create_alias(FunctionName=name, Name=_ALIAS, FunctionVersion=first)
        began = datetime.now(UTC)
        alias = Alias(name, _ALIAS, first)
        _until(trial, name, {first})
        alias.split(second, 0.5)
        _until(trial, name, {first, second})
        alias.move(second)
        _until(trial, name, {second})
        counted = _counted(trial, Alias(name, _ALIAS, second), began)
    return f"the alias sent requests to both versions, then to one; CloudWatch counted {counted}"


def _until(trial: Trial, name: str, expected: set[str]) -> None:
    deadline = time.monotonic() + trial.patience_seconds
    while True:
        found = Counter(_invoked(trial, name, _ALIAS) for _ in range(_ROUND))
        if found.keys() == expected:
            return
        if time.monotonic() > deadline:
            raise CheckFailed(
                f"of {_ROUND} requests to the alias, the versions got {dict(found)} instead of "
                f"some for each of {', '.join(sorted(expected))}"
            )
        time.sleep(_POLL_SECONDS)


def _counted(trial: Trial, alias: Alias, began: datetime) -> str:
    """Wait for the metrics of the executed version, as a canary reads them."""
    project = trial.examined.variables["project_name"]
    watched = canary.Canary(project, trial.environment, share=0.5, seconds=60)
    candidate = canary.Trial("verify", alias, alias.version)
    deadline = time.monotonic() + max(trial.patience_seconds, canary.SETTLE_SECONDS)
    while True:
        # To the end of the minute that has begun: the invocations may all be of this second.
        end = datetime.now(UTC) + timedelta(minutes=1)
        found = watched.counts(candidate, began - timedelta(minutes=1), end).invocations
        if found:
            return f"{found:.0f} invocations of version {alias.version}"
        if time.monotonic() > deadline:
            raise CheckFailed(f"CloudWatch has no invocations of version {alias.version}")
        time.sleep(_POLL_SECONDS)


def the_layer_starts(trial: Trial) -> str:
    """Start a function with the ADOT layer that the services get."""
    layer = account.layer_arn(trial.examined)
    if layer is None:
        raise NotTried("the functions of this environment have no layer")
    without_findings(account.layer, trial.examined)
    with _function(trial, layers=[layer]) as name:
        _invoked(trial, name, "$LATEST")
    return f"a function with {layer} answered"


@contextmanager
def _function(trial: Trial, layers: Sequence[str] = ()) -> Iterator[str]:
    """Make a function that answers with its version, and its role; remove both afterwards."""
    functions, iam = trial.client("lambda"), trial.client("iam")
    name = trial.new_name()
    with trial.made() as made:
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(_TRUST),
            Tags=[{"Key": key, "Value": value} for key, value in trial.tags.items()],
        )["Role"]
        made(f"role {name}", lambda: iam.delete_role(RoleName=name))
        trial.later(
            lambda: functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Architectures=[trial.examined.variables["architecture"]],
                Handler="verified.handler",
                Role=role["Arn"],
                Code={"ZipFile": _package()},
                Layers=list(layers),
                Timeout=10,
                Tags=trial.tags,
            )
        )
        made(f"function {name}", lambda: functions.delete_function(FunctionName=name))
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        yield name


def _package() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("verified.py", _CODE)
    return package.getvalue()


def _invoked(trial: Trial, name: str, qualifier: str) -> str:
    """Invoke a function and return the version that answered."""
    answer: dict[str, Any] = trial.client("lambda").invoke(
        FunctionName=name, Qualifier=qualifier, Payload=b"{}"
    )
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        problem = f"{name} failed: {payload.decode(errors='replace')[:300]}"
        raise CheckFailed(problem) if trial.is_aws else NotTried(problem)
    return str(json.loads(payload))
