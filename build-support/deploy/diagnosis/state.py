"""Checks of what bootstrap/ creates: state bucket, backend file, account-wide singletons."""

import re
from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from deploy.diagnosis.findings import Examined, Finding, blocker, warning
from deploy.variables import backend_file, strings

_OIDC_HOST: Final = "token.actions.githubusercontent.com"


def backend(examined: Examined) -> Iterator[Finding]:
    """Check the backend file of the environment, and the bucket that it names."""
    environment = examined.variables.environment
    file = backend_file(environment, examined.folder)
    if not file.is_file():
        yield blocker(f"{file.name} does not exist", _APPLY_BOOTSTRAP)
        return
    content = strings(file.read_text())
    key, bucket = content.get("key", ""), content.get("bucket", "")
    if key != f"{environment}/terraform.tfstate":
        yield blocker(
            f"{file.name} names the state {key!r}, which is not {environment}'s",
            f'Write key = "{environment}/terraform.tfstate"',
        )
    owner = re.search(r"-(\d{12})-", bucket)
    if owner and owner[1] != examined.account:
        account = "a placeholder" if owner[1] == "0" * 12 else f"account {owner[1]}"
        yield blocker(
            f"{file.name} names the bucket of {account}; these credentials are of account "
            f"{examined.account}",
            f"{_APPLY_BOOTSTRAP}, or sign in to the other account",
        )
        return
    status = _bucket_status(examined, bucket)
    if status == 404:
        yield blocker(f"the state bucket {bucket} does not exist", _APPLY_BOOTSTRAP)
    elif status != 200:
        yield blocker(
            f"the state bucket {bucket} answers {status}",
            "Use credentials that may read it: the environment's deploy role, or an administrator",
        )
    elif content.get("region") != examined.variables["aws_region"]:
        yield warning(
            f"the state is in {content.get('region')}, the environment in "
            f"{examined.variables['aws_region']}",
            "Apply bootstrap/ in the environment's region: its roles and images are of one region",
        )


_APPLY_BOOTSTRAP: Final = "Apply bootstrap/, which writes this file (docs/runbook.md)"


def _bucket_status(examined: Examined, bucket: str) -> int:
    try:
        examined.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 200


def _bootstrapped(examined: Examined) -> bool:
    variables = examined.variables
    name = f"{variables['project_name']}-tfstate-{examined.account}-{variables['aws_region']}"
    return _bucket_status(examined, name) == 200


def _bootstrap_variables(examined: Examined) -> str:
    """Return the text of the account's file in bootstrap/accounts/; empty if there is none."""
    files = sorted((examined.folder.parent / "bootstrap" / "accounts").glob("*.tfvars"))
    texts = [file.read_text() for file in files]
    own = (text for text in texts if strings(text).get("account_id") == examined.account)
    return next(own, "")


def singletons(examined: Examined) -> Iterator[Finding]:
    """Look for what an account has only once: OIDC provider and API Gateway's logging role."""
    text = _bootstrap_variables(examined)
    providers = examined.client("iam").list_open_id_connect_providers()
    has_provider = any(
        item["Arn"].endswith(f"/{_OIDC_HOST}") for item in providers["OpenIDConnectProviderList"]
    )
    has_role = bool(examined.client("apigateway").get_account().get("cloudwatchRoleArn"))
    if not _bootstrapped(examined):
        for exists, what, variable in (
            (has_provider, "GitHub's OIDC provider", "create_github_oidc_provider"),
            (has_role, "a logging role of API Gateway", "enable_api_gateway_account"),
        ):
            if exists and not re.search(rf"^ *{variable} *= *false", text, re.MULTILINE):
                yield blocker(
                    f"the account has {what} already, and bootstrap/ would create or replace it",
                    f"Add `{variable} = false` to the account's file in bootstrap/accounts/, and "
                    "apply bootstrap/ with it (docs/runbook.md)",
                )
        return
    if not has_role:
        yield blocker(
            "API Gateway has no role for its logs, so a stage with logs cannot be created",
            "Apply bootstrap/ with enable_api_gateway_account = true",
        )
    if not has_provider:
        yield warning(
            "the account does not trust GitHub's tokens, so only a person can deploy",
            "Apply bootstrap/ with create_github_oidc_provider = true",
        )
