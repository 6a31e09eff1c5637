"""Runs Terraform on the application layer."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.program import REPOSITORY, Refused

FOLDER: Final = REPOSITORY / "terraform"


class Terraform:
    """Terraform for one environment.

    Args:
        environment: Its name; selects the variables and the backend file.
        folder: Folder of the Terraform files.
    """

    def __init__(self, environment: str, folder: Path = FOLDER) -> None:
        self._environment = environment
        self._folder = folder

    def init(self) -> None:
        """Initialise the folder with the environment's state.

        Raises:
            Refused: Terraform failed, and has printed why.
        """
        self._run(
            "init",
            "-no-color",
            "-lockfile=readonly",
            "-reconfigure",
            f"-backend-config=environments/{self._environment}.s3.tfbackend",
        )

    def plan(
        self,
        file: Path,
        release: str,
        variables: Mapping[str, Any],
        options: Sequence[str] = (),
        *,
        quiet: bool = False,
    ) -> None:
        """Save a plan. It contains secrets in plain text, so it must not leave the machine.

        Args:
            file: The file to save it to.
            release: The release that is planned; becomes the output `release`.
            variables: Variables in addition to those of the environment's file.
            options: Further options of `terraform plan`.
            quiet: Whether to leave out the plan that Terraform prints; errors are printed.
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
            quiet=quiet,
        )

    def read_plan(self, file: Path) -> dict[str, Any]:
        """Return a saved plan in Terraform's JSON format."""
        return self._json("show", "-json", str(file.resolve()))

    def apply(self, file: Path) -> None:
        """Apply a saved plan; Terraform refuses it if the state has changed since."""
        self._run("apply", "-no-color", "-lock-timeout=5m", str(file.resolve()))

    def destroy(self) -> None:
        """Destroy everything that the state has, without asking."""
        self._run(
            "destroy",
            "-auto-approve",
            "-no-color",
            "-lock-timeout=5m",
            f"-var-file=environments/{self._environment}.tfvars",
        )

    def version(self) -> str:
        """Return the version of Terraform itself."""
        return str(self._json("version", "-json")["terraform_version"])

    def state_id(self) -> str:
        """Return an identifier of the state, which every apply changes; empty before the first."""
        state = self._json("state", "pull", or_empty=True)
        return f"{state['lineage']}:{state['serial']}" if state else ""

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the state; empty before the first apply."""
        return {name: item["value"] for name, item in self._json("output", "-json").items()}

    def _json(self, *arguments: str, or_empty: bool = False) -> dict[str, Any]:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            self._command(*arguments),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(f"terraform {arguments[0]} failed")
        if or_empty and not done.stdout.strip():
            return {}
        parsed: dict[str, Any] = json.loads(done.stdout)
        return parsed

    def _run(self, *arguments: str, release: str | None = None, quiet: bool = False) -> None:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            self._command(*arguments),
            env=_environment() | ({"TF_VAR_release": release} if release else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else None,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(f"terraform {arguments[0]} failed for {self._environment}")

    def _command(self, *arguments: str) -> list[str]:
        return ["terraform", f"-chdir={self._folder}", *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
