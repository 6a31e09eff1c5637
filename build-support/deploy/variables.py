"""The Terraform variables of an environment that the programs need, without running Terraform."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from deploy.program import Refused
from deploy.terraform import FOLDER

# A string without an expression; the programs need no other values.
_STRING: Final = re.compile(r'^ *(\w+) *= *"([^"$]*)"', re.MULTILINE)
_VARIABLE: Final = re.compile(r'^variable "(\w+)" \{$(.*?)^\}$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Variables:
    """The string variables of one environment: those of its file, else their defaults."""

    environment: str
    values: Mapping[str, str]

    @classmethod
    def read(cls, environment: str, folder: Path = FOLDER) -> Self:
        """Read variables.tf and environments/{environment}.tfvars.

        Raises:
            Refused: The environment's file does not exist.
        """
        file = folder / "environments" / f"{environment}.tfvars"
        if not file.is_file():
            raise Refused(f"{file} does not exist")
        defaults = {
            name: strings(body)["default"]
            for name, body in _VARIABLE.findall((folder / "variables.tf").read_text())
            if "default" in strings(body)
        }
        return cls(environment, {**defaults, **strings(file.read_text())})

    def __getitem__(self, name: str) -> str:
        """Return a variable.

        Raises:
            Refused: It has neither a value nor a default.
        """
        if name not in self.values:
            raise Refused(f"environments/{self.environment}.tfvars does not set {name}")
        return self.values[name]

    @property
    def prefix(self) -> str:
        """Return {project}-{environment}, with which each resource's name begins."""
        return f"{self['project_name']}-{self.environment}"


def backend_file(environment: str, folder: Path = FOLDER) -> Path:
    """Return the file that bootstrap/ writes, and that says where the environment's state is."""
    return folder / "environments" / f"{environment}.s3.tfbackend"


def backend(environment: str, folder: Path = FOLDER) -> dict[str, str]:
    """Return what the backend file says; empty if bootstrap/ has not written it."""
    file = backend_file(environment, folder)
    return strings(file.read_text()) if file.is_file() else {}


def strings(text: str) -> dict[str, str]:
    """Return the strings that HCL text assigns, by name."""
    return dict(_STRING.findall(text))
