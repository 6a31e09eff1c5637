"""Checks of the account and its region: credentials' region, names, roles, layer."""

import os
import re
from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from deploy.diagnosis.findings import Examined, Finding, blocker
from services.declared import CONTAINERS, SERVICES

# AWS's limits of the longest names, by what is named: the end of the name, and the limit.
_LIMITS: Final = {
    "an S3 bucket": ("-vectors-{account}-{region}", 63),
    "an X-Ray sampling rule": ("-requests", 32),
    "an IAM role": ("-apprunner-runner", 64),
    "a Lambda function": ("-rotation", 64),
    "an App Runner service": ("-runner", 40),
}


def region(examined: Examined) -> Iterator[Finding]:
    """Terraform uses the region of the file, the programs of the pipeline that of the shell."""
    import boto3

    expected = examined.variables["aws_region"]
    found = os.environ.get("AWS_REGION") or boto3.Session().region_name
    if found != expected:
        yield blocker(
            f"this shell uses the region {found or '(none)'}, but "
            f"environments/{examined.variables.environment}.tfvars says {expected}",
            f"export AWS_REGION={expected}, or change aws_region in the file",
        )


def names(examined: Examined) -> Iterator[Finding]:
    """Compare the longest name of each kind with AWS's limit."""
    for kind, (end, limit) in _LIMITS.items():
        name = examined.variables.prefix + end.format(
            account=examined.account, region=examined.variables["aws_region"]
        )
        if len(name) > limit:
            yield blocker(
                f"the name of {kind}, {name}, has {len(name)} characters; AWS allows {limit}",
                "Choose a shorter project_name, in terraform/ and in bootstrap/",
            )


def roles(examined: Examined) -> Iterator[Finding]:
    """Look for the execution roles that bootstrap/ creates and terraform/ looks up."""
    iam = examined.client("iam")
    wanted = [f"lambda-{name}" for name in SERVICES if name not in CONTAINERS] + ["scheduler"]
    if examined.variables["runner_platform"] == "apprunner":
        wanted += [*(f"apprunner-{name}" for name in CONTAINERS), "apprunner-image"]
    else:
        wanted += [f"lambda-{name}" for name in CONTAINERS]
    missing = []
    for name in wanted:
        try:
            iam.get_role(RoleName=f"{examined.variables.prefix}-{name}")
        except iam.exceptions.NoSuchEntityException:
            missing.append(f"{examined.variables.prefix}-{name}")
    if missing:
        yield blocker(
            f"there are no roles {', '.join(missing)}",
            f'Apply bootstrap/ with "{examined.variables.environment}" in environments or '
            "developer_environments, and with "
            "enable_apprunner = true if the runner is on App Runner",
        )


def layer(examined: Examined) -> Iterator[Finding]:
    """Try to read the ADOT layer that the functions would get."""
    arn = layer_arn(examined)
    if arn is None:
        return
    try:
        examined.client("lambda").get_layer_version_by_arn(Arn=arn)
    except ClientError as error:
        # AWS answers AccessDenied for a layer of another account that does not exist.
        yield blocker(
            f"the layer {arn} cannot be read: {error.response['Error']['Code']}",
            f'Set tracing_mode = "udp" in environments/{examined.variables.environment}.tfvars, '
            "which needs no layer, or set adot_layer_arn to a layer of your own",
        )


def layer_arn(examined: Examined) -> str | None:
    """Return the ADOT layer that the functions get; None if they need none."""
    variables = examined.variables
    mode, own = variables["tracing_mode"], variables.values.get("adot_layer_arn")
    if mode not in {"sdk", "auto"}:
        return None
    if own:
        return own
    text = (examined.folder / "locals.tf").read_text()
    architecture = "arm64" if variables["architecture"] == "arm64" else "amd64"
    [name] = re.findall(rf'^ *{mode} *= "(aws-otel-[^"]+)"$', text, re.MULTILINE)
    [owner] = re.findall(r'^ *adot_account *= "(\d+)"$', text, re.MULTILINE)
    name = name.replace("${local.adot_architecture}", architecture)
    return f"arn:{examined.partition}:lambda:{variables['aws_region']}:{owner}:layer:{name}"
