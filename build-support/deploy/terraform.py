"""The application layer's Terraform, called as an operator would call it."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.program import REPOSITORY, Refused

FOLDER: Final = REPOSITORY / "terraform"


class Terraform:
    """One environment of a layer.

    Args:
        environment: dev, test or prod; it names the variables and the backend file.
        folder: The layer.
    """

    def __init__(self, environment: str, folder: Path = FOLDER) -> None:
        self._environment = environment
        self._folder = folder

    def init(self) -> None:
        """Choose the environment's state.

        Raises:
            Refused: Terraform failed; its own message is already on the terminal.
        """
        self._run(
            "init",
            "-no-color",
            "-lockfile=readonly",
            "-reconfigure",
            f"-backend-config=environments/{self._environment}.s3.tfbackend",
        )

    def plan(
        self, file: Path, release: str, variables: Mapping[str, Any], options: Sequence[str] = ()
    ) -> None:
        """Save a plan. It holds secrets in plain text: it must not leave the machine.

        Args:
            file: Where to.
            release: What is planned; the state's output of this name says it later.
            variables: Beside those of the environment's file.
            options: Of `terraform plan`.
        """
        self._run(
            "plan",
            "-no-color",
            "-lock-timeout=5m",
            f"-var-file=environments/{self._environment}.tfvars",
            *(
                f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
                for name, value in variables.items()
            ),
            *options,
            f"-out={file.resolve()}",
            release=release,
        )

    def read_plan(self, file: Path) -> dict[str, Any]:
        """Return a saved plan in Terraform's JSON form."""
        return self._json("show", "-json", str(file.resolve()))

    def apply(self, file: Path) -> None:
        """Do what a saved plan says, and nothing else; Terraform refuses a plan that is stale."""
        self._run("apply", "-no-color", "-lock-timeout=5m", str(file.resolve()))

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the state; none before the first apply."""
        return {name: item["value"] for name, item in self._json("output", "-json").items()}

    def _json(self, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            self._command(*arguments),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(f"terraform {arguments[0]} failed")
        parsed: dict[str, Any] = json.loads(done.stdout)
        return parsed

    def _run(self, *arguments: str, release: str | None = None) -> None:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            self._command(*arguments),
            env=_environment() | ({"TF_VAR_release": release} if release else {}),
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(f"terraform {arguments[0]} failed for {self._environment}")

    def _command(self, *arguments: str) -> list[str]:
        return ["terraform", f"-chdir={self._folder}", *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
