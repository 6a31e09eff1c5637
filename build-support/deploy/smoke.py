"""Asks a deployed environment whether it works, by the gateway and a client's key.

`--staged` asks the versions that serve nobody yet, each invoked beside the gateway.
"""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from deploy import checks
from deploy.aws import client
from deploy.checks import Gateway, Outcome, attempt
from deploy.program import Refused, parser, run, summarise
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import Alias, Serving

_SERVICES: Final = ("api", "chat", "s3vector", "runner")
_TRACE_SECONDS: Final = 90  # The collector sends in batches, and X-Ray indexes what came.


def staged(serving: Serving) -> Iterable[Outcome]:
    """Try each new version: it starts, answers its health path and reads its own key."""
    for service, version in sorted(serving.staged().items()):
        yield from _direct(service, version)


def live(gateway: Gateway, outputs: dict[str, Any], patience_seconds: float) -> Iterable[Outcome]:
    """Try what serves: `/api/test`, then keys, calls between services, traces."""
    first = attempt("/api/test", gateway.test, patience_seconds)
    yield first
    # What did not come right in that time will not now: a roll-back is waiting.
    patience_seconds = 0 if first.problem else patience_seconds

    # Secrets Manager access
    yield attempt("the secrets exist", partial(checks.secrets_exist, outputs["api_key_secrets"]))
    for service, alias in sorted(Serving.now(outputs).aliases.items()):
        if service in _SERVICES:
            by_alias = Alias(alias.function, alias.alias, version=alias.alias)
            yield attempt(f"{service} reads its own key", partial(checks.reads_own_key, by_alias))

    # Inter-service communication: `/api/test` was between them; here each one's own path.
    for service in _SERVICES:
        path = f"/{service}/health"
        yield attempt(path, partial(gateway.get, path), patience_seconds)

    # Distributed tracing. A sampled trace id is sent, since production traces a few percent only.
    yield from _traced(gateway, patience_seconds and _TRACE_SECONDS)


def _traced(gateway: Gateway, patience_seconds: float) -> Iterable[Outcome]:
    tracing = True

    def ask() -> None:
        nonlocal tracing
        tracing = bool(gateway.get("/api/status").get("tracing"))

    asked = attempt("/api/status", ask)
    yield asked
    if asked.problem:
        return
    if not tracing:
        print("tracing is off here: no trace is looked for")
        return
    trace_id, begin = checks.new_trace_id(), time.time()
    yield attempt("a trace goes on", partial(checks.trace_goes_on, gateway, trace_id))
    arrived = partial(checks.trace_arrived, trace_id, begin)
    yield attempt("X-Ray has the trace", arrived, patience_seconds)


def _direct(service: str, target: Alias) -> Iterable[Outcome]:
    name = f"{service} version {target.version}"
    if service not in _SERVICES:
        yield attempt(f"{name} starts", partial(checks.loads, target))
        return
    yield attempt(f"{name} answers", partial(checks.answers_directly, target, service))
    yield attempt(f"{name} reads its own key", partial(checks.reads_own_key, target))


def _key(outputs: dict[str, Any], name: str) -> str | None:
    secret = outputs["api_key_secrets"].get(name)
    if secret is None:
        print("no key in the outputs: keys are off here")
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
        print(f"{title}: there is nothing to try")
        return
    head = [f"### {title}", "", "| | check | | seconds |", "|---|---|---|---|"]
    summarise("\n".join([*head, *rows]))
    if failed:
        raise Refused("; ".join(failed))


def main(arguments: Sequence[str]) -> None:
    """Run the checks; every one runs, and one that failed fails the program."""
    found = parser(__doc__)
    found.add_argument("--staged", action="store_true", help="what does not serve yet")
    found.add_argument("--url", help="another way in than the stage's own URL")
    found.add_argument("--key-name", default="client", help="whose API key is used")
    found.add_argument("--patience", type=float, default=20, help="seconds that a check may take")
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    given = found.parse_args(arguments)
    if given.dry_run:
        what = "the versions that do not serve yet" if given.staged else "what serves"
        print(f"would try {what} in {given.environment}")
        return
    outputs = Terraform(given.environment, given.terraform).outputs()
    if not outputs:
        raise Refused(f"{given.environment} has no outputs: was it applied?")
    if given.staged:
        _report(f"New versions in {given.environment}", staged(Serving.now(outputs)))
        return
    gateway = Gateway(given.url or outputs["api_gateway_url"], _key(outputs, given.key_name))
    _report(f"Smoke test of {given.environment}", live(gateway, outputs, given.patience))


if __name__ == "__main__":
    run(main)
