"""Terraform on a copy of a layer against the embedded AWS.

The layer itself is never touched: endpoints, test credentials and a local state come from override
files, which are written into the copy.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PROVIDER: Final = Path("registry.terraform.io/hashicorp/aws")

# Where a provider may have been unpacked, nearest first; each is searched a few folders deep.
_MIRROR_ROOTS: Final = (
    "~/.terraform.d/plugins",
    "~/.terraform.d",
    "~/.local/share/terraform/plugins",
    "~/Library/Application Support/io.terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/terraform",
    "/opt",
)
_MIRROR_DEPTH: Final = 3

# Every service that either layer calls.
_SERVICES: Final = (
    "apigateway", "apprunner", "budgets", "cloudformation", "cloudwatch", "cloudwatchlogs", "ecr",
    "iam", "lambda", "route53", "s3", "s3control", "scheduler", "secretsmanager", "sns", "sts",
    "wafv2", "xray",
)  # fmt: skip


class TerraformError(RuntimeError):
    """Terraform refused or failed; the message ends with what it printed."""


def terraform_binary() -> str | None:
    """Path of the terraform program, or None."""
    return shutil.which("terraform")


def provider_mirror() -> Path | None:
    """A folder that holds the AWS provider as a filesystem mirror does, or None."""
    named = os.environ.get("TF_PLUGIN_CACHE_DIR")
    for root in filter(None, (named, *_MIRROR_ROOTS)):
        for folder in _folders(Path(root).expanduser(), _MIRROR_DEPTH):
            if (folder / PROVIDER).is_dir():
                return folder
    return None


def _folders(root: Path, depth: int) -> Iterator[Path]:
    if not root.is_dir():
        return
    yield root
    if depth:
        with contextlib.suppress(OSError):
            for child in sorted(root.iterdir()):
                if child.is_dir() and not child.is_symlink():
                    yield from _folders(child, depth - 1)


def missing() -> str | None:
    """What keeps Terraform from running here, in one line, or None."""
    if terraform_binary() is None:
        return "terraform is not on PATH"
    if provider_mirror() is None:
        return f"no folder with {PROVIDER} was found, neither in TF_PLUGIN_CACHE_DIR"
    return None


class Layer:
    """A copy of one layer in `folder`, with its own configuration of the Terraform program.

    Args:
        source: The layer's folder.
        folder: An empty folder for the copy; backend files and packages may lie beside it.
        endpoint_url: The embedded AWS; None leaves the copy without one, for mocked tests.
        s3_backend: Whether the state goes to the embedded S3; else it lies in the folder.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        *,
        endpoint_url: str | None,
        region: str = "us-east-1",
        s3_backend: bool = False,
    ) -> None:
        self.folder = folder
        shutil.copytree(
            source,
            folder,
            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.py", "__pycache__"),
        )
        mirror = provider_mirror()
        self._cli_config = folder.with_suffix(".tfrc")
        self._cli_config.write_text(
            "disable_checkpoint = true\n"
            "provider_installation {\n"
            "  filesystem_mirror {\n"
            f'    path    = "{mirror}"\n'
            '    include = ["registry.terraform.io/*/*"]\n'
            "  }\n"
            "}\n"
        )
        if endpoint_url is not None:
            (folder / "embedded_override.tf").write_text(
                _override(endpoint_url, region, s3_backend=s3_backend)
            )

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """What `terraform ARGUMENTS` printed.

        Raises:
            TerraformError: It exited with another status than 0.
        """
        binary = terraform_binary()
        if binary is None:
            raise TerraformError("terraform is not on PATH")
        done = subprocess.run(
            [binary, *arguments],
            cwd=self.folder,
            env=self._environment(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TerraformError(f"terraform {' '.join(arguments)} failed:\n{done.stdout}")
        return done.stdout

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        # Not the caller's own AWS and Terraform settings: a profile would lead to a real account.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TF_"))
        }
        return {
            **inherited,
            "TF_CLI_CONFIG_FILE": str(self._cli_config),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **more,
        }

    def init(self, *options: str) -> str:
        return self.run("init", "-no-color", "-lockfile=readonly", *options)

    def apply(self, *options: str) -> str:
        return self.run(
            "apply", "-auto-approve", "-no-color", "-parallelism=20", "-compact-warnings", *options
        )

    def destroy(self, *options: str) -> str:
        return self.run("destroy", "-auto-approve", "-no-color", "-parallelism=20", *options)

    def plan(self, *options: str) -> "Plan":
        """A plan, which is also saved as `saved.tfplan`."""
        self.run("plan", "-no-color", "-out=saved.tfplan", "-parallelism=20", *options)
        return Plan(json.loads(self.run("show", "-json", "saved.tfplan")))

    def state(self) -> "State":
        return State(json.loads(self.run("show", "-json")))


class Plan:
    """A saved plan."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def changes(self) -> dict[str, list[str]]:
        """Actions on each resource that would change, by its address."""
        return {
            change["address"]: change["change"]["actions"]
            for change in self._document.get("resource_changes", [])
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }

    def output_changes(self) -> list[str]:
        """Names of the outputs that would change."""
        return [
            name
            for name, change in self._document.get("output_changes", {}).items()
            if change["actions"] != ["no-op"]
        ]


class State:
    """What Terraform made."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._values = document.get("values", {})

    def outputs(self) -> dict[str, Any]:
        return {name: item["value"] for name, item in self._values.get("outputs", {}).items()}

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Attributes of all managed resources of a type, by their address."""
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


def _override(endpoint_url: str, region: str, *, s3_backend: bool) -> str:
    """Provider and backend for the embedded AWS; Terraform merges them over the layer's blocks."""
    endpoints = "\n".join(f'    {service} = "{endpoint_url}"' for service in _SERVICES)
    backend = f"""\
  backend "s3" {{
    access_key                  = "testing"
    secret_key                  = "testing"
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    endpoints = {{
      s3 = "{endpoint_url}"
    }}
  }}"""
    return f"""\
terraform {{
{backend if s3_backend else '  backend "local" {}'}
}}

provider "aws" {{
  region                      = "{region}"
  access_key                  = "testing"
  secret_key                  = "testing"
  s3_use_path_style           = true
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {{
{endpoints}
  }}
}}
"""


def variables(values: Mapping[str, Any]) -> Sequence[str]:
    """Command-line options that set variables; each value is written as JSON."""
    return [
        f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in values.items()
    ]
