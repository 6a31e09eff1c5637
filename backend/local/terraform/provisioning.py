"""Applies both Terraform layers to the embedded AWS, for `--terraform`."""

import asyncio
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from local.aws.terraform_aws import TerraformAws
from local.blueprint import ACCOUNT_ID, REGION, Blueprint
from local.compute.packages import remove_tree
from local.options import Options
from local.terraform.program import Layer, Progress
from local.terraform.readback import EstateReader
from services.declared import SERVICES as DECLARED

_VARIABLE_FILE = "environments/dev.tfvars"
_QUARTERS = 4

# Placeholders: no image is pulled and GitHub is not called.
_IMAGE = f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/fin-advisor/runner@sha256:{'0' * 64}"
_GITHUB = {
    "github_owner": "local",
    "github_repository": "fin-advisor",
    "github_owner_id": "1",
    "github_repository_id": "1",
}


async def provision(
    aws: TerraformAws, options: Options, run_dir: Path, report: Callable[[str], None]
) -> Blueprint:
    """Apply the layers to `aws` and read back the estate that they created.

    State and copies are in `run_dir/var/terraform`, terraform's output is in `run_dir/logs`.
    Raises TerraformFailedError if an apply fails, and UnservableError if the result has something
    that cannot run here.
    """
    folder = run_dir / "var" / "terraform"
    remove_tree(folder)
    folder.mkdir(parents=True)
    (run_dir / "logs").mkdir(parents=True, exist_ok=True)
    report("starting the embedded AWS (2 to 5 s)")
    await asyncio.to_thread(aws.serve)
    report("embedded AWS is up; applying bootstrap/ and terraform/ to it (1 to 4 minutes)")
    with (run_dir / "logs" / "terraform.log").open("wb", buffering=0) as log:
        chosen = dict(options.terraform_variables)
        variables = {
            "package_dir": str(_packages(options.packages, folder / "dist")),
            "runner_image": _IMAGE,
            "streaming": chosen.get("tracing_mode") != "auto",  # a function has one wrapper
            **chosen,
        }
        await _apply(folder, aws.url, variables, log, report)
    reader = EstateReader(aws.url)
    blueprint = await asyncio.to_thread(reader.read)
    for name in reader.left_out:
        report(f"created, but not run on this machine: {name}")
    return blueprint


async def _apply(
    folder: Path,
    url: str,
    variables: Mapping[str, Any],
    log: IO[bytes],
    report: Callable[[str], None],
) -> None:
    account = Layer("bootstrap", folder / "bootstrap", endpoint_url=url, log=log)
    application = Layer("terraform", folder / "terraform", endpoint_url=url, log=log)
    await account.init()
    await application.init()
    # The application needs only the execution roles of bootstrap/ and their permissions boundary.
    # The rest of bootstrap/ is for GitHub and for the state.
    await account.apply(
        "-target=aws_iam_role.execution",
        variables={**_GITHUB, "environments": ["dev"], "write_own_backend": False},
    )
    report("terraform: bootstrap/ has created the roles")
    await application.apply(
        f"-var-file={_VARIABLE_FILE}",
        variables=variables,
        progress=_by_quarters(report),
    )


def _by_quarters(report: Callable[[str], None]) -> Progress:
    def progress(created: int, total: int) -> None:
        if total and created * _QUARTERS // total > (created - 1) * _QUARTERS // total:
            report(f"terraform: {created} of {total} resources are created")

    return progress


def _packages(given: Path | None, folder: Path) -> Path:
    """A folder with a zip for each function: from the folder `given`, otherwise a placeholder,
    because the functions then run from their sources.
    """
    folder.mkdir()
    for name in DECLARED:
        package = folder / f"{name}.zip"
        if given is not None and (given / package.name).is_file():
            package.symlink_to((given / package.name).absolute())
            continue
        with zipfile.ZipFile(package, "w") as archive:
            entry = zipfile.ZipInfo("lambda_function.py", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, f"# A placeholder for {name}.\n")
    return folder.absolute()
