"""Tries in a real account each claim that no emulator can prove, and writes what AWS did.

It reads, and changes only what it makes itself and removes again: two REST APIs, roles, functions
and uploads, all named PROJECT-ENVIRONMENT-verify-…. It needs an administrator's credentials. It
takes some minutes, and costs less than a cent. The exit code is 1 if a claim is wrong, or if
something could not be removed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.diagnosis import account
from deploy.diagnosis.examination import examined
from deploy.program import Refused, parser, run
from deploy.terraform import FOLDER
from deploy.verification import buckets, denials, functions, gateway, platforms
from deploy.verification.claims import Claim, Outcome, Trial
from deploy.verification.page import PAGE, page, section, written

CLAIMS: Final = (
    Claim(
        "denials by tag",
        "a deploy role may not change, read or take the REST API of another environment "
        "(SECURITY.md)",
        denials.tags_separate_environments,
    ),
    Claim(
        "key ids",
        "the gateway passes on the id of the API key, by which services know its scopes",
        gateway.key_ids_reach_the_services,
    ),
    Claim(
        "streaming", "answers that stream reach the client in pieces", gateway.the_gateway_streams
    ),
    Claim(
        "alias shift",
        "an alias splits and moves traffic between versions, and CloudWatch counts each version "
        "(`deploy:promote`, canary)",
        functions.an_alias_shifts_traffic,
    ),
    Claim("ADOT layer", "a function starts with the layer", functions.the_layer_starts),
    Claim("models", "the account may call both models", platforms.the_models_answer),
    Claim("App Runner", "the runner's service runs", platforms.app_runner_serves),
    Claim(
        "S3 lifecycle",
        "the lifecycle rules of the buckets are in force",
        buckets.lifecycle_rules_are_in_force,
    ),
)


def _report(outcomes: Sequence[Outcome], left: Sequence[str]) -> None:
    wrong = [outcome.claim.name for outcome in outcomes if outcome.verdict == "wrong"]
    proven = [outcome.claim.name for outcome in outcomes if outcome.verdict == "proven"]
    print(f"{len(proven)} of {len(outcomes)} claims are proven: {', '.join(proven) or 'none'}")
    problems = [f"wrong: {', '.join(wrong)}"] if wrong else []
    problems += [f"not removed, remove it by hand: {each}" for each in left]
    if problems:
        raise Refused("; ".join(problems))


def _write(trial: Trial, outcomes: Sequence[Outcome], file: Path | None) -> None:
    """Write the verdicts to a file, or to the documentation if they are AWS's."""
    if file is None and not trial.is_aws:
        print(f"{trial.endpoint} is not AWS: {PAGE.name} stays as it is")
        return
    file = file or PAGE
    region, digits = trial.examined.variables["aws_region"], trial.examined.account[-4:]
    text = section(outcomes, datetime.now(UTC).date(), f"account …{digits}, {region}")
    file.write_text(page(CLAIMS, written(file) | {trial.environment: text}), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Try the claims one after the other, print each verdict, and write the page."""
    cli = parser(__doc__)
    names = [claim.name for claim in CLAIMS]
    cli.add_argument("--only", action="append", choices=names, help="try this claim alone")
    cli.add_argument("--page", type=Path, help="file to write the verdicts to, also without AWS")
    cli.add_argument(
        "--patience", type=float, default=120, help="seconds to wait for what AWS does with a delay"
    )
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    claims = [claim for claim in CLAIMS if args.only is None or claim.name in args.only]
    if args.dry_run:
        print(f"would try in {args.environment}: {', '.join(claim.name for claim in claims)}")
        return
    trial = Trial(examined(args.environment, args.terraform), args.patience)
    for finding in account.region(trial.examined):
        raise Refused(f"{finding.problem}: {finding.advice}")
    outcomes = []
    for claim in claims:
        outcomes.append(trial.decide(claim))
        print(f"{outcomes[-1].verdict}: {claim.name}: {outcomes[-1].detail}", flush=True)
    # A run of some claims says nothing of the others, so it leaves the page as it is.
    if args.only is None:
        _write(trial, outcomes, args.page)
    _report(outcomes, trial.left)


if __name__ == "__main__":
    run(main)
