"""The command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WRAPPER = "otel-instrument"
"""What a layer calls the program that is put around a function's."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. `port` 0 takes any that is free."""

    port: int = 8080
    env_file: Path | None = None
    packages: Path | None = None
    bedrock: str = "local"
    reload: bool = False
    demo: bool = False
    verbose: bool = False
    run_dir: Path | None = None
    cold: bool = False
    tracing: str = "sdk"
    layer: Path | None = None
    terraform: bool = False


def parse(arguments: Sequence[str]) -> Options:
    """The options; ends the process with status 2 and a message when they make no sense."""
    parser = argparse.ArgumentParser(
        prog="./pants run backend/local:up --",
        description="The whole estate on one machine: gateway, functions, runner, embedded AWS.",
    )
    parser.add_argument("--port", type=_port, default=8080, help="the gateway's (default: 8080)")
    parser.add_argument(
        "--env-file", type=Path, metavar="PATH", help="write where everything is, once it is ready"
    )
    parser.add_argument("--reload", action="store_true", help="take up changed sources")
    parser.add_argument(
        "--demo", action="store_true", help="load the sample documents, ask a question, and end"
    )
    parser.add_argument(
        "--packages", type=Path, metavar="DIR", help="run the zips of DIR instead of the sources"
    )
    parser.add_argument(
        "--cold", action="store_true", help="start functions at their first request, as Lambda does"
    )
    parser.add_argument(
        "--bedrock",
        choices=("local", "aws"),
        default="local",
        help="the stand-in, or the real one with your own credentials (default: local)",
    )
    parser.add_argument(
        "--tracing",
        choices=("sdk", "auto", "udp", "off"),
        default="sdk",
        help="how functions send spans: to a collector, by a layer's wrapper, to the X-Ray daemon, "
        "or not (default: sdk)",
    )
    parser.add_argument(
        "--layer",
        type=Path,
        metavar="DIR",
        help=f"for --tracing auto: an unpacked ADOT layer for Python, with its {WRAPPER}",
    )
    parser.add_argument(
        "--terraform",
        action="store_true",
        help="apply bootstrap/ and terraform/ to the embedded AWS, and serve what they made",
    )
    parser.add_argument("--verbose", action="store_true", help="show the services' logs")
    parser.add_argument(
        "--run-dir", type=Path, metavar="DIR", help="keep logs here (default: a temporary folder)"
    )
    given = parser.parse_args(arguments)
    if given.packages and given.reload:
        parser.error("--reload watches sources, and --packages runs none: choose one")
    if (given.tracing == "auto") != (given.layer is not None):
        parser.error("--tracing auto and --layer go together: the wrapper is the layer's")
    if given.layer and not (given.layer / WRAPPER).is_file():
        parser.error(f"--layer: {given.layer} has no {WRAPPER}")
    return Options(
        port=given.port,
        env_file=given.env_file,
        packages=given.packages,
        cold=given.cold,
        bedrock=given.bedrock,
        reload=given.reload,
        demo=given.demo,
        verbose=given.verbose,
        run_dir=given.run_dir,
        tracing=given.tracing,
        layer=given.layer,
        terraform=given.terraform,
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port: 0 to 65535")
    return port
