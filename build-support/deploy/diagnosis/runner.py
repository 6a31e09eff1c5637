"""Checks of the runner: whether the account may use App Runner, and has an image for it."""

from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from deploy.diagnosis.findings import Examined, Finding, blocker

# App Runner creates it with the first service of an account.
_SERVICE_ROLE: Final = "AWSServiceRoleForAppRunner"


def runner(examined: Examined) -> Iterator[Finding]:
    """Check App Runner and the image; on Lambda there is nothing to check."""
    if examined.variables["runner_platform"] != "apprunner":
        return
    try:
        services = examined.client("apprunner").list_services()["ServiceSummaryList"]
    except ClientError as error:
        yield blocker(f"App Runner refuses this account: {error}", _use_lambda(examined))
        return
    if not services and not _used_before(examined):
        yield blocker(
            "this account has never used App Runner, which has taken no new customers since "
            "2026-04-30",
            _use_lambda(examined),
        )
        return
    if not services and not _images(examined):
        yield blocker(
            f"the ECR repository {_repository(examined)} has no image for the first apply",
            "Push one (docs/runbook.md, Push the runner's image)",
        )


def _use_lambda(examined: Examined) -> str:
    return (
        f'Set runner_platform = "lambda" in environments/{examined.variables.environment}.tfvars, '
        "and enable_apprunner = false in the account's file in bootstrap/accounts/"
    )


def _used_before(examined: Examined) -> bool:
    iam = examined.client("iam")
    try:
        iam.get_role(RoleName=_SERVICE_ROLE)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def _repository(examined: Examined) -> str:
    return f"{examined.variables['project_name']}/runner"


def _images(examined: Examined) -> bool:
    ecr = examined.client("ecr")
    try:
        found = ecr.describe_images(
            repositoryName=_repository(examined), filter={"tagStatus": "TAGGED"}
        )
    except ecr.exceptions.RepositoryNotFoundException:
        return False
    return bool(found["imageDetails"])
