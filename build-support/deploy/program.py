"""What the programs of the pipeline share: arguments, errors, and the output that GitHub shows."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ENVIRONMENTS: Final = ("dev", "test", "prod")
DEVELOPERS: Final = re.compile(r"[a-z][a-z0-9]{1,5}")  # as bootstrap's developer_environments
REPOSITORY: Final = Path(__file__).resolve().parents[2]


class Refused(Exception):
    """The program stops; its message is printed for the operator."""


def parser(description: str | None, *, environment: bool = True) -> argparse.ArgumentParser:
    """Return a parser with `--dry-run` and, unless `environment` is false, `--environment`."""
    cli = argparse.ArgumentParser(description=description)
    cli.add_argument("--dry-run", action="store_true", help="print what would be done and exit")
    if environment:
        cli.add_argument("--environment", required=True, type=environment_name)
    return cli


def environment_name(text: str) -> str:
    """Return the name of an environment.

    Raises:
        argparse.ArgumentTypeError: No environment can have this name.
    """
    if not DEVELOPERS.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"write {', '.join(ENVIRONMENTS)}, or a developer's environment of 2 to 6 lower-case "
            "letters and digits"
        )
    return text


def confirm(question: str, *, yes: bool) -> None:
    """Ask the operator, unless `yes` is set.

    Raises:
        Refused: The answer is not `yes`, or nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} Nothing was changed. Give --yes where nobody can be asked")
    if input(f"{question} Only `yes` is accepted: ").strip() != "yes":
        raise Refused("nothing was changed")


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Run a program with the command line's arguments; print a `Refused` and exit with code 1."""
    try:
        main(sys.argv[1:])
    except Refused as refusal:
        _error(str(refusal))
    except Exception as error:
        # Imported here, because most runs do not need them.
        from botocore.exceptions import BotoCoreError, ClientError
        from httpx import HTTPError

        if not isinstance(error, BotoCoreError | ClientError | HTTPError):
            raise
        _error(f"{type(error).__name__}: {error}")


def _error(message: str) -> None:
    # GitHub shows a line of this form on the run's page; %0A is its line break.
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::error::{message.replace('%', '%25').replace('\n', '%0A')}")
    print(message, file=sys.stderr)
    sys.exit(1)


def summarise(markdown: str) -> None:
    """Print Markdown, and add it to the run's page on GitHub."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(markdown.rstrip() + "\n\n")
    print(markdown.rstrip())


def set_outputs(outputs: Mapping[str, str]) -> None:
    """Print values, and set them as outputs of the workflow's step."""
    target = os.environ.get("GITHUB_OUTPUT")
    for name, value in outputs.items():
        if "\n" in value or "\r" in value:
            raise Refused(f"the output {name} has more than one line")
        print(f"{name}={value}")
        if target:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(f"{name}={value}\n")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        Refused: The file does not exist, or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{path} does not exist") from None
    except ValueError as error:
        raise Refused(f"{path} is not JSON: {error}") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that equal content gives equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
