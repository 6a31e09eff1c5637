"""Tests a deployed environment through the gateway, with the API key of a client.

`--staged` tests the new versions that serve no traffic yet, by invoking each of them directly.
"""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from deploy import checks, model_lifecycle
from deploy.aws import client
from deploy.checks import Gateway, Outcome, attempt
from deploy.program import Refused, parser, run, summarise
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import Alias, Serving
from services.declared import ROUTED

_TRACE_SECONDS: Final = 90  # The collector sends batches, and X-Ray has to index them.


def staged(serving: Serving) -> Iterable[Outcome]:
    """Test each new version: it starts, answers its health path and reads its own key."""
    for service, version in sorted(serving.staged().items()):
        yield from _test_version(service, version)


def live(gateway: Gateway, outputs: dict[str, Any], patience_seconds: float) -> Iterable[Outcome]:
    """Test what serves: `/api/test`, then API keys, calls between services, and tracing."""
    first = attempt("/api/test", gateway.test, patience_seconds)
    yield first
    # The first check was repeated for all that time and failed: do not delay the rollback further.
    patience_seconds = 0 if first.problem else patience_seconds

    # Secrets Manager access
    yield attempt("the secrets exist", partial(checks.secrets_exist, outputs["api_key_secrets"]))
    for service, alias in sorted(Serving.now(outputs).aliases.items()):
        if service in ROUTED:
            by_alias = Alias(alias.function, alias.alias, version=alias.alias)
            yield attempt(f"{service} reads its own key", partial(checks.reads_own_key, by_alias))

    # Inter-service communication: `/api/test` made the services call each other. Here each is
    # called by its own path.
    for service in ROUTED:
        path = f"/{service}/health"
        yield attempt(path, partial(gateway.get, path), patience_seconds)

    yield attempt(
        "the model answers", partial(checks.answers_a_question, gateway), patience_seconds
    )

    # Distributed tracing. The requests are marked as sampled, since prod samples few requests.
    yield from _traced(gateway, patience_seconds and _TRACE_SECONDS)


def _traced(gateway: Gateway, patience_seconds: float) -> Iterable[Outcome]:
    tracing = True

    def read_status() -> None:
        nonlocal tracing
        tracing = bool(gateway.get("/api/status").get("tracing"))

    status = attempt("/api/status", read_status)
    yield status
    if status.problem:
        return
    if not tracing:
        print("tracing is off: the checks of traces are left out")
        return
    trace_id, begin = checks.new_trace_id(), time.time()
    yield attempt("api continues the trace", partial(checks.trace_continues, gateway, trace_id))
    arrived = partial(checks.trace_arrived, trace_id, begin)
    yield attempt("X-Ray has the trace", arrived, patience_seconds)


def _test_version(service: str, target: Alias) -> Iterable[Outcome]:
    name = f"{service} version {target.version}"
    if service not in ROUTED:
        yield attempt(f"{name} starts", partial(checks.starts, target))
        return
    yield attempt(f"{name} answers", partial(checks.answers_directly, target, service))
    yield attempt(f"{name} reads its own key", partial(checks.reads_own_key, target))


def _key(outputs: dict[str, Any], name: str) -> str | None:
    secret = outputs["api_key_secrets"].get(name)
    if secret is None:
        print("API keys are disabled: requests carry none")
        return None
    value = client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return str(value)


def _report(title: str, outcomes: Iterable[Outcome]) -> None:
    rows, failed = [], []
    for outcome in outcomes:
        rows.append(
            f"| {'failed' if outcome.problem else 'passed'} | {outcome.name} "
            f"| {outcome.problem or ''} | {outcome.seconds:.1f} |"
        )
        if outcome.problem:
            failed.append(f"{outcome.name}: {outcome.problem}")
    if not rows:
        print(f"{title}: nothing to test")
        return
    head = [f"### {title}", "", "| | check | | seconds |", "|---|---|---|---|"]
    summarise("\n".join([*head, *rows]))
    if failed:
        raise Refused("; ".join(failed))


def _warn(findings: Sequence[str]) -> None:
    # No failure: a rollback would not give a model more time. GitHub shows the line as a warning.
    for finding in findings:
        print(f"::warning::{finding}")


def main(arguments: Sequence[str]) -> None:
    """Run all checks, print a table, and fail if any of them failed."""
    cli = parser(__doc__)
    cli.add_argument(
        "--staged", action="store_true", help="test the versions that serve no traffic yet"
    )
    cli.add_argument("--url", help="URL of the gateway instead of the one in the outputs")
    cli.add_argument("--key-name", default="client", help="name of the API key to use")
    cli.add_argument(
        "--patience", type=float, default=20, help="seconds for which a failing check is repeated"
    )
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    if args.dry_run:
        what = "the new versions" if args.staged else "what serves"
        print(f"would test {what} in {args.environment}")
        return
    outputs = Terraform(args.environment, args.terraform).outputs()
    if not outputs:
        raise Refused(f"{args.environment} has no outputs: apply Terraform first")
    if args.staged:
        _report(f"New versions in {args.environment}", staged(Serving.now(outputs)))
        return
    gateway = Gateway(args.url or outputs["api_gateway_url"], _key(outputs, args.key_name))
    _warn(model_lifecycle.findings(outputs.get("foundation_models", {})))
    _report(f"Smoke test of {args.environment}", live(gateway, outputs, args.patience))


if __name__ == "__main__":
    run(main)
