"""What the programs of the pipeline have in common: how they end, and what GitHub shows of them."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ENVIRONMENTS: Final = ("dev", "test", "prod")
REPOSITORY: Final = Path(__file__).resolve().parents[2]


class Refused(Exception):
    """The program will not, or cannot, go on; the message is what the operator reads."""


def parser(description: str | None, *, environment: bool = True) -> argparse.ArgumentParser:
    """Arguments with `--dry-run`, and with `--environment` unless that is switched off."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and call nobody"
    )
    if environment:
        found.add_argument("--environment", required=True, choices=ENVIRONMENTS)
    return found


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Run a program on the command line's arguments; a refusal is one line and exit code 1."""
    try:
        main(sys.argv[1:])
    except Refused as refusal:
        _error(str(refusal))
    except Exception as error:
        # Imported here: most programs begin without them.
        from botocore.exceptions import BotoCoreError, ClientError
        from httpx import HTTPError

        if not isinstance(error, BotoCoreError | ClientError | HTTPError):
            raise
        _error(f"{type(error).__name__}: {error}")


def _error(message: str) -> None:
    # GitHub shows such a line on the run's page; %0A is how it writes a line break.
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::error::{message.replace('%', '%25').replace('\n', '%0A')}")
    print(message, file=sys.stderr)
    sys.exit(1)


def summarise(markdown: str) -> None:
    """Show text on the run's page, or on the terminal outside of GitHub."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(markdown.rstrip() + "\n\n")
    print(markdown.rstrip())


def set_outputs(outputs: Mapping[str, str]) -> None:
    """Hand values to later steps of the job."""
    target = os.environ.get("GITHUB_OUTPUT")
    for name, value in outputs.items():
        if "\n" in value or "\r" in value:
            raise Refused(f"the output {name} has more than one line")
        print(f"{name}={value}")
        if target:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(f"{name}={value}\n")


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        Refused: There is no such file, or it holds something else.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(f"{path} does not exist") from None
    except ValueError as error:
        raise Refused(f"{path} is not JSON: {error}") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON, sorted, so that equal content is equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
