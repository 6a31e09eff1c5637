"""A copy of a Terraform layer for the embedded AWS, and the search for the AWS provider.

The layer itself is never changed: an override file in the copy sets endpoints and backend.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.aws.server import TEST_CREDENTIALS
from local.blueprint import REGION
from local.compute.processes import BACKEND
from local.net.proxies import proxies_except_loopback
from services.declared import FILE

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
_NOT_COPIED = (".terraform", "*.tfstate*", "backend.tf", "*.py", "__pycache__")

# Every service that the layers call: the provider has no single setting for all endpoints.
_SERVICES = (
    "apigateway", "apprunner", "budgets", "cloudformation", "cloudwatch", "cloudwatchlogs",
    "dynamodb", "ecr", "iam", "lambda", "route53", "s3", "s3control", "scheduler", "secretsmanager",
    "sns", "ssm", "sts", "wafv2", "xray",
)  # fmt: skip


def missing() -> Iterator[str]:
    """One line for each missing tool, with the places that were searched."""
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
    """A folder with the AWS provider in the layout of a filesystem mirror; None if not found."""
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


class LayerCopy:
    """The layer `name` of a repository (by default this one), copied to `folder`.

    services.json is copied beside it.

    Without an `endpoint_url` it has no AWS to call, only the mocks of its own tests. Its state is
    in the folder, or with `s3_backend` in the embedded S3.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        endpoint_url: str | None,
        s3_backend: bool = False,
        repository: Path | None = None,
    ) -> None:
        self.name = name
        self.folder = folder
        repository = repository or REPOSITORY
        shutil.copytree(repository / name, folder, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        shutil.copy(repository / FILE.name, folder.parent)
        if endpoint_url is not None:
            backend = _s3_backend(endpoint_url) if s3_backend else 'backend "local" {}'
            (folder / "embedded_override.tf").write_text(_override(endpoint_url, backend))
        self._cli_config = folder.with_suffix(".tfrc").absolute()
        self._cli_config.write_text(_cli_config(provider_mirror()))

    def environment(self) -> dict[str, str]:
        """The environment variables for the terraform program."""
        # Without the user's AWS and Terraform settings: a profile would lead to a real account.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TF_"))
        }
        return {
            **inherited,
            **proxies_except_loopback(os.environ),
            **TEST_CREDENTIALS,
            "TF_CLI_CONFIG_FILE": str(self._cli_config),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


def variable_options(values: Mapping[str, Any]) -> list[str]:
    """The command-line options that set variables. Values other than strings become JSON."""
    return [
        f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in values.items()
    ]


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


def _s3_backend(endpoint_url: str) -> str:
    return f"""\
backend "s3" {{
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true

    endpoints = {{
      s3 = "{endpoint_url}"
    }}
  }}"""


def _override(endpoint_url: str, backend: str) -> str:
    """Provider and backend for the embedded AWS; Terraform merges them over the layer's blocks."""
    endpoints = "\n".join(f'    {service} = "{endpoint_url}"' for service in _SERVICES)
    return f"""\
terraform {{
  {backend}
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
