"""The command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never
from urllib.parse import urlsplit

from local.faults import SYNTAX, Fault, parse_fault

WRAPPER = "otel-instrument"
"""The program of an ADOT layer that starts the function's process (AWS_LAMBDA_EXEC_WRAPPER)."""

_BEDROCK = ("local", "aws")
_LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])
_TRACING = ("sdk", "auto", "udp", "off")
IAM = ("off", "warn", "enforce")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. `port` 0 takes any free port; `bedrock` is `local`, `aws` or the URL
    of a server that speaks Bedrock's wire format. `tracing` is None if Terraform decides.
    """

    port: int = 8080
    env_file: Path | None = None
    packages: Path | None = None
    bedrock: str = "local"
    reload: bool = False
    demo: bool = False
    verbose: bool = False
    run_dir: Path | None = None
    cold: bool = False
    tracing: str | None = "sdk"
    layer: Path | None = None
    terraform: bool = False
    terraform_variables: tuple[tuple[str, str], ...] = ()
    users: bool = False
    unlimited: bool = False
    iam: str = "off"
    faults: tuple[Fault, ...] = ()


class _UsageError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Never:
        raise _UsageError(message)  # reported with all other problems


def parse(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """The options, and one line for each wrong one. `--help` prints and exits.

    A wrong option gets a harmless value in the result, so that the preflight can still check the
    others.
    """
    try:
        given, unknown = _parser().parse_known_args(arguments)
    except _UsageError as error:
        return Options(port=0), [str(error)]
    wrong = [f"unknown arguments: {' '.join(unknown)}"] if unknown else []
    if given.port is None:
        given.port = "0" if given.demo else "8080"
    if given.tracing is None and not given.terraform:
        given.tracing = "sdk"
    port = _port(given.port)
    if port is None:
        wrong.append(f"--port: {given.port!r} is not a port: give a number from 0 to 65535")
    if given.bedrock not in _BEDROCK and (problem := _url_problem(given.bedrock)):
        wrong.append(f"--bedrock: {given.bedrock!r} {problem}")
    wrong += [
        f"--{name}: {getattr(given, name)!r} is not one of {', '.join(known)}"
        for name, known in (("tracing", _TRACING), ("iam", IAM))
        if getattr(given, name) not in (None, *known)
    ]
    paths = {name: getattr(given, name) for name in ("env_file", "packages", "run_dir", "layer")}
    wrong += [
        f"--{name.replace('_', '-')}: a path is missing"
        for name, path in paths.items()
        if path == ""
    ]
    if given.packages is not None and given.reload:
        wrong.append("--reload watches sources and --packages runs none: choose one")
    if given.tracing is not None and (given.tracing == "auto") != (given.layer is not None):
        wrong.append("--tracing auto and --layer go together: the wrapper is the layer's")
    elif given.layer and not (Path(given.layer) / WRAPPER).is_file():
        wrong.append(f"--layer: {given.layer} has no {WRAPPER}")
    wrong += _iam_problems(given)
    wrong += _variable_problems(given)
    if given.users and (given.terraform or given.demo):
        wrong.append("--users goes with neither --terraform nor --demo: they have no user's token")
    faults = []
    for text in given.fault:
        try:
            faults.append(parse_fault(text))
        except ValueError as error:
            wrong.append(f"--fault: {error}")
    if given.bedrock != "local" and any(one.target.startswith("bedrock") for one in faults):
        wrong.append("--fault bedrock fails the stand-in: it goes with --bedrock local")
    options = Options(
        port=port or 0,
        faults=tuple(faults),
        cold=given.cold,
        bedrock=given.bedrock,
        reload=given.reload,
        demo=given.demo,
        verbose=given.verbose,
        tracing=given.tracing,
        terraform=given.terraform,
        terraform_variables=tuple(filter(None, map(_variable, given.var))),
        users=given.users,
        unlimited=given.unlimited,
        iam=given.iam,
        **{name: Path(path) for name, path in paths.items() if path},
    )
    return options, wrong


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def _iam_problems(given: argparse.Namespace) -> list[str]:
    if given.iam not in IAM or given.iam == "off":
        return []
    wrong = []
    if not given.terraform:
        wrong.append("--iam goes with --terraform: only Terraform creates the roles")
    if given.bedrock == "aws":
        wrong.append("--iam goes with --bedrock local: the real one needs your own credentials")
    return wrong


def _variable(text: str) -> tuple[str, str] | None:
    name, equals, value = text.partition("=")
    return (name, value) if name.isidentifier() and equals else None


def _variable_problems(given: argparse.Namespace) -> list[str]:
    wrong = []
    if given.var and not given.terraform:
        wrong.append("--var goes with --terraform: it sets a variable of Terraform")
    wrong += [f"--var: {text!r} is not NAME=VALUE" for text in given.var if _variable(text) is None]
    return wrong


def _url_problem(text: str) -> str | None:
    try:
        url = urlsplit(text)
        has_host = bool(url.hostname) and url.port != 0
    except ValueError:
        has_host = False
    if not has_host or url.scheme not in {"http", "https"}:
        return f"is not one of {', '.join(_BEDROCK)}, and no URL of a server"
    if url.username is not None or url.query or url.fragment:
        return "has more than scheme, host, port and path"
    if url.scheme == "http" and not is_loopback(text):
        return "would send prompts in clear text: use https, or a server on this machine"
    return None


def _port(text: str) -> int | None:
    digits = text.isascii() and text.isdigit() and len(text) <= 5
    return int(text) if digits and int(text) <= 65535 else None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="./pants run backend/local:up --",
        description="Run the whole estate on this machine: gateway, functions, runner, AWS.",
        allow_abbrev=False,
    )

    def value(name: str, metavar: str, help_text: str, default: str | None = None) -> None:
        # A missing value becomes "", which `parse` reports together with the other problems.
        parser.add_argument(
            name, nargs="?", const="", default=default, metavar=metavar, help=help_text
        )

    def switch(name: str, help_text: str) -> None:
        parser.add_argument(name, action="store_true", help=help_text)

    value(
        "--port",
        "PORT",
        "the gateway's port; 0 takes any free one (default: 8080; with --demo, which ends, 0)",
    )
    value(
        "--env-file",
        "PATH",
        "once ready, write the URLs and keys here, as lines for a shell to source",
    )
    switch("--reload", "restart a service when its source changes")
    switch("--demo", "load the sample documents, ask a question, print the answer, and end")
    value("--packages", "DIR", "run the zips in DIR instead of the sources")
    switch("--cold", "start a function at its first request, as Lambda does")
    value(
        "--bedrock",
        "|".join([*_BEDROCK, "URL"]),
        "the local stand-in, Amazon Bedrock with your own AWS credentials, or a server that speaks "
        "Bedrock's wire format (default: local)",
        "local",
    )
    value(
        "--tracing",
        "|".join(_TRACING),
        "how functions send spans: to a collector, by a layer's wrapper, to the X-Ray daemon, "
        "or not at all (default: sdk; with --terraform, what its variables say)",
    )
    value("--layer", "DIR", f"for tracing auto: an unpacked ADOT layer, with its {WRAPPER}")
    switch("--terraform", "apply bootstrap/ and terraform/ to the embedded AWS, serve the result")
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="with --terraform: set a variable, as Terraform's own -var does, over those of "
        "environments/dev.tfvars; such as runner_platform=lambda",
    )
    switch("--users", "require a user's token at /api, and make test users who can sign in")
    switch("--unlimited", "leave out quotas and throttles, for a load test")
    value(
        "--iam",
        "|".join(IAM),
        "with --terraform: evaluate the role's policies at each call of AWS, and warn of what they "
        "lack or refuse it (default: off)",
        "off",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="TARGET:KIND[=VALUE]",
        help=f"make a part fail, as {SYNTAX}, such as s3:error=503,rate=0.5; docs/faults.md lists "
        "targets and kinds",
    )
    switch("--verbose", "show the services' logs")
    value("--run-dir", "DIR", "keep logs here (default: a temporary folder)")
    return parser
