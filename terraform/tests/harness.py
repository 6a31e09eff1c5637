"""Runs Terraform's commands on a copy of `terraform/` or `bootstrap/`; reads plans and states."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from local.terraform import layer_copy
from local.terraform.layer_copy import LayerCopy


class TerraformError(RuntimeError):
    """Terraform failed; the message ends with its output."""


def missing() -> str | None:
    """Return in one line why Terraform cannot run on this machine, or None."""
    return "; ".join(layer_copy.missing()) or None


class Layer(LayerCopy):
    """A copy of `terraform/` or `bootstrap/` on which commands are run."""

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run `terraform ARGUMENTS` and return its output.

        Raises:
            TerraformError: The exit code is not 0.
        """
        done = subprocess.run(
            ["terraform", *arguments],  # noqa: S607 - the one on PATH
            cwd=self.folder,
            env={**self.environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TerraformError(f"terraform {' '.join(arguments)} failed:\n{done.stdout}")
        return done.stdout

    def init(self, *options: str) -> str:
        return self.run("init", "-no-color", "-lockfile=readonly", *options)

    def apply(self, *options: str) -> str:
        return self.run(
            "apply", "-auto-approve", "-no-color", "-parallelism=20", "-compact-warnings", *options
        )

    def destroy(self, *options: str) -> str:
        return self.run("destroy", "-auto-approve", "-no-color", "-parallelism=20", *options)

    def plan(self, *options: str) -> "Plan":
        """Return a plan, which is also saved as `saved.tfplan`."""
        self.run("plan", "-no-color", "-out=saved.tfplan", "-parallelism=20", *options)
        return Plan(json.loads(self.run("show", "-json", "saved.tfplan")))

    def printed_plan(self, *options: str) -> str:
        """Return what a plan prints: in less time than `plan`, which reads the schemas again."""
        return self.run("plan", "-no-color", "-parallelism=20", *options)

    def state(self) -> "State":
        return State(json.loads(self.run("show", "-json")))

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the state, without reading the provider's schemas."""
        printed = json.loads(self.run("output", "-json"))
        return {name: item["value"] for name, item in printed.items()}


class Plan:
    """A saved plan."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def changes(self) -> dict[str, list[str]]:
        """Return the actions on each resource that would change, by address."""
        return {
            change["address"]: change["change"]["actions"]
            for change in self._document.get("resource_changes", [])
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }

    def planned(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the attributes of a type's resources as far as the plan knows them, by address."""
        return State({"values": self._document["planned_values"]}).resources(kind)

    def output_changes(self) -> list[str]:
        """Return the names of the outputs that would change."""
        return [
            name
            for name, change in self._document.get("output_changes", {}).items()
            if change["actions"] != ["no-op"]
        ]


class State:
    """A Terraform state."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._values = document.get("values", {})

    def outputs(self) -> dict[str, Any]:
        return {name: item["value"] for name, item in self._values.get("outputs", {}).items()}

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the attributes of all managed resources of a type, by address."""
        return {
            item["address"]: item["values"]
            for item in self._all(self._values.get("root_module", {}))
            if item["type"] == kind and item["mode"] == "managed"
        }

    def addresses(self) -> list[str]:
        return [
            item["address"]
            for item in self._all(self._values.get("root_module", {}))
            if item["mode"] == "managed"
        ]

    def _all(self, module: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        yield from module.get("resources", [])
        for child in module.get("child_modules", []):
            yield from self._all(child)
