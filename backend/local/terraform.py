"""The terraform program on a copy of a layer: where it and its AWS provider are found, and how it
is pointed at the embedded AWS.

The layer itself is never touched: endpoints, test credentials and a local state come from an
override file in the copy.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from local.blueprint import REGION
from local.embedded_aws import TEST_CREDENTIALS
from local.processes import BACKEND

REPOSITORY = BACKEND.parent

_PROVIDER = Path("registry.terraform.io/hashicorp/aws")
_PROVIDER_ROOTS = (
    "~/.terraform.d/plugins",
    "~/.terraform.d",
    "~/.local/share/terraform/plugins",
    "~/Library/Application Support/io.terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/terraform",
    "/opt",
)
_SEARCH_DEPTH = 3
_STOP_SECONDS = 5.0
_LONGEST_LINE_BYTES = 8 * 1024 * 1024

# Every service that the layers call. The provider has no one setting for all of them.
_SERVICES = (
    "apigateway", "apprunner", "budgets", "cloudformation", "cloudwatch", "cloudwatchlogs", "ecr",
    "iam", "lambda", "route53", "s3", "s3control", "scheduler", "secretsmanager", "sns", "sts",
    "wafv2", "xray",
)  # fmt: skip

type Progress = Callable[[int, int], None]
"""Called with how many resources are made, and of how many."""


class TerraformFailedError(Exception):
    """Terraform refused or failed. The message has one line for each reason that it gave."""


def missing() -> Iterator[str]:
    """One line for each thing that Terraform lacks here, with where it was looked for."""
    if shutil.which("terraform") is None:
        yield (
            "--terraform: there is no terraform on PATH (1.11 or later: "
            "https://developer.hashicorp.com/terraform/install)"
        )
    if provider_mirror() is None:
        places = ", ".join(str(root) for root in _roots())
        yield (
            f"--terraform: the AWS provider ({_PROVIDER}) is in none of {places}: "
            "`terraform -chdir=terraform init -backend=false` fetches it"
        )


def provider_mirror() -> Path | None:
    """A folder that holds the AWS provider as a filesystem mirror does, or None."""
    for root in _roots():
        for folder in _folders(Path(root).expanduser(), _SEARCH_DEPTH):
            if (folder / _PROVIDER).is_dir():
                return folder
    return None


def _roots() -> Iterator[str]:
    if cache := os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield cache
    for layer in ("terraform", "bootstrap"):
        yield str(REPOSITORY / layer / ".terraform" / "providers")
    yield from _PROVIDER_ROOTS


def _folders(root: Path, depth: int) -> Iterator[Path]:
    if not root.is_dir():
        return
    yield root
    if depth:
        with contextlib.suppress(OSError):
            for child in sorted(root.iterdir()):
                if child.is_dir() and not child.is_symlink():
                    yield from _folders(child, depth - 1)


class Layer:
    """A copy in `folder` of the repository's layer `name`, against the AWS at `endpoint_url`. What
    terraform prints is added to `log`.
    """

    def __init__(self, name: str, folder: Path, *, endpoint_url: str, log: IO[bytes]) -> None:
        self.name = name
        self._folder = folder
        self._log = log
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "tests", "backend.tf")
        shutil.copytree(REPOSITORY / name, folder, ignore=ignored)
        (folder / "embedded_override.tf").write_text(_override(endpoint_url))
        self._cli_config = folder.with_suffix(".tfrc")
        self._cli_config.write_text(_cli_config(provider_mirror()))

    async def init(self) -> None:
        """Find the provider and read the modules; TerraformFailedError when that fails."""
        said = [line async for line in self._run("init", "-no-color", "-lockfile=readonly")]
        if said[-1] != "0":
            raise TerraformFailedError(f"{self.name}/: terraform init failed: {_reason(said[:-1])}")

    async def apply(
        self, *options: str, variables: Mapping[str, Any], progress: Progress | None = None
    ) -> None:
        """Make what the layer describes; TerraformFailedError when that fails."""
        given = [f"-var={name}={_value(value)}" for name, value in variables.items()]
        made, total, errors, status = 0, 0, [], ""
        arguments = ("-auto-approve", "-json", "-parallelism=20", *options, *given)
        async for line in self._run("apply", *arguments):
            event = _event(line)
            match event.get("type"):
                case "change_summary" if event["changes"]["operation"] == "plan":
                    total = event["changes"]["add"]
                case "apply_complete" if event["hook"]["action"] == "create":
                    made += 1
                    if progress is not None:
                        progress(made, total)
                case "diagnostic" if event["diagnostic"]["severity"] == "error":
                    errors.append(f"{self.name}/: {_summary(event['diagnostic'])}")
                case _:
                    status = line
        if status != "0":
            errors = errors or [f"{self.name}/: terraform apply ended with exit status {status}"]
            raise TerraformFailedError("\n".join(errors))

    async def _run(self, *arguments: str) -> AsyncIterator[str]:
        """The lines that `terraform ARGUMENTS` prints, and as the last its exit status."""
        process = await asyncio.create_subprocess_exec(
            "terraform",
            *arguments,
            cwd=self._folder,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE_BYTES,
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            async for line in process.stdout:
                self._log.write(line)
                yield line.decode(errors="replace").rstrip()
            yield str(await process.wait())
        finally:
            await _stop(process)

    def _environment(self) -> dict[str, str]:
        # Not the user's own settings of AWS and Terraform: a profile would lead to a real account.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TF_"))
        }
        return {
            **inherited,
            **TEST_CREDENTIALS,
            "TF_CLI_CONFIG_FILE": str(self._cli_config.absolute()),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


async def _stop(process: asyncio.subprocess.Process) -> None:
    # At the first interrupt terraform ends what it began, at the second it ends its provider too.
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _event(line: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict):
            return event
    return {}


def _summary(diagnostic: Mapping[str, Any]) -> str:
    parts = (diagnostic.get(name, "") for name in ("address", "summary", "detail"))
    return ": ".join(" ".join(str(part).split()) for part in parts if part)


def _reason(said: list[str]) -> str:
    """What init printed from its first error on, in one line."""
    text = "\n".join(said)
    return " ".join(text[max(text.find("Error:"), 0) :].replace("│", " ").split())


def _cli_config(mirror: Path | None) -> str:
    return f"""\
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path    = {json.dumps(str(mirror))}
    include = ["registry.terraform.io/*/*"]
  }}
}}
"""


def _override(endpoint_url: str) -> str:
    """Provider and backend for the embedded AWS; Terraform merges them over the layer's blocks."""
    endpoints = "\n".join(f'    {service} = "{endpoint_url}"' for service in _SERVICES)
    return f"""\
terraform {{
  backend "local" {{}}
}}

provider "aws" {{
  region                      = "{REGION}"
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
