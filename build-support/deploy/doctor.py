"""Examines an account before a deploy: each finding says what is wrong and what to do.

It changes nothing, except that a first call of a third-party model may subscribe the account to
it. A blocker is what would make `terraform apply`, or what it creates, fail. The exit code is 1
if there is a blocker.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.diagnosis import account, models, quotas, runner, state
from deploy.diagnosis.examination import examined
from deploy.diagnosis.findings import Check, Examined, Finding
from deploy.program import Refused, parser, run
from deploy.terraform import FOLDER

CHECKS: Final[dict[str, Check]] = {
    "region": account.region,
    "names": account.names,
    "state": state.backend,
    "singletons": state.singletons,
    "roles": account.roles,
    "quotas": quotas.quotas,
    "layer": account.layer,
    "runner": runner.runner,
    "models": models.models,
}

_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def examine(patient: Examined) -> Iterator[Finding]:
    """Run every check. One that fails is a finding, and does not stop the others."""
    for name, check in CHECKS.items():
        try:
            for finding in check(patient):
                yield replace(finding, check=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            advice = (
                f"Allow {error.operation_name} to whoever runs this program"
                if code in _DENIED
                else "Run this program again; if it stays, look at the message"
            )
            yield Finding(name, "warning", f"it could not be checked: {error}", advice)
        except BotoCoreError as error:
            yield Finding(name, "warning", f"it could not be checked: {error}", _UNREACHABLE)


_UNREACHABLE: Final = "Check the network, and that the service exists in this region"


def _print(patient: Examined, findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"{finding.severity}: {finding.check}: {finding.problem}\n    {finding.advice}.")
    good = [name for name in CHECKS if name not in {finding.check for finding in findings}]
    where = f"{patient.variables.environment} in account {patient.account}"
    print(f"{where}: nothing wrong with {', '.join(good) or 'none of the above'}")


def main(arguments: Sequence[str]) -> None:
    """Print the findings as text or as JSON."""
    cli = parser(__doc__)
    cli.add_argument("--json", action="store_true", help="print the findings as JSON")
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would examine the account for {args.environment}: {', '.join(CHECKS)}")
        return
    patient = examined(args.environment, args.terraform)
    findings = list(examine(patient))
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(patient, findings)
    if blockers := [finding for finding in findings if finding.severity == "blocker"]:
        raise Refused(f"{len(blockers)} of these findings would make a deploy fail")


if __name__ == "__main__":
    run(main)
