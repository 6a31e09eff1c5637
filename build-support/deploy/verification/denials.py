"""The claim that tags keep the roles of an environment out of the others' REST APIs."""

import contextlib
import json
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from deploy.checks import CheckFailed
from deploy.program import ENVIRONMENTS
from deploy.verification.claims import Note, NotTried, Trial

_DENIED: Final = ("AccessDenied", "AccessDeniedException")


def tags_separate_environments(trial: Trial) -> str:
    """Send requests with the deploy role's policies to an own REST API and to another one."""
    other = next(each for each in ENVIRONMENTS if each != trial.environment)
    with trial.made() as made:
        gateway = trial.client("apigateway")

        def new_api(environment: str) -> str:
            tags = trial.tags | {"Environment": environment}
            found = gateway.create_rest_api(name=trial.new_name(), tags=tags)["id"]
            made(f"REST API {found}", lambda: gateway.delete_rest_api(restApiId=found))
            return str(found)

        role = _role_with_the_policies_of_a_deploy(trial, made)
        session = _assumed(trial, role)
        if _allowed(lambda: session("iam").list_users(MaxItems=1)):
            raise NotTried("this account does not apply policies: a role did what none allows")
        return _compared(trial, session("apigateway"), new_api(trial.environment), new_api(other))


def _compared(trial: Trial, gateway: Any, own: str, foreign: str) -> str:
    region = trial.examined.variables["aws_region"]
    arn = f"arn:{trial.examined.partition}:apigateway:{region}::/restapis/"
    change = [{"op": "replace", "path": "/description", "value": "verify"}]

    def read_own() -> object:
        return gateway.get_rest_api(restApiId=own)

    expected: dict[str, tuple[bool, Callable[[], object]]] = {
        "read an API of its own": (True, read_own),
        "change it": (
            True,
            lambda: gateway.update_rest_api(restApiId=own, patchOperations=change),
        ),
        "tag it": (
            True,
            lambda: gateway.tag_resource(resourceArn=arn + own, tags={"Purpose": "verified"}),
        ),
        "remove its tag Environment": (
            False,
            lambda: gateway.untag_resource(resourceArn=arn + own, tagKeys=["Environment"]),
        ),
        "read an API of another environment": (
            False,
            lambda: gateway.get_rest_api(restApiId=foreign),
        ),
        "change that one": (
            False,
            lambda: gateway.update_rest_api(restApiId=foreign, patchOperations=change),
        ),
        "take it by a tag": (
            False,
            lambda: gateway.tag_resource(
                resourceArn=arn + foreign, tags={"Environment": trial.environment}
            ),
        ),
    }
    # The policies of a new role take effect with a delay.
    with contextlib.suppress(ClientError):
        trial.later(read_own)
    wrong = [
        f"the role {'may not' if may else 'may'} {what}"
        for what, (may, request) in expected.items()
        if _allowed(request) != may
    ]
    if wrong:
        raise CheckFailed("; ".join(wrong))
    return f"{len(expected)} requests were allowed or denied as SECURITY.md says"


def _allowed(request: Callable[[], object]) -> bool:
    try:
        request()
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            return False
        raise
    return True


def _role_with_the_policies_of_a_deploy(trial: Trial, made: Note) -> tuple[str, str]:
    """Make a role that only this program can assume; return its ARN and the external id."""
    iam, deploy = trial.client("iam"), f"{trial.prefix}-deploy"
    try:
        boundary = iam.get_role(RoleName=deploy)["Role"]["PermissionsBoundary"]
        attached = iam.list_attached_role_policies(RoleName=deploy)["AttachedPolicies"]
    except iam.exceptions.NoSuchEntityException:
        raise NotTried(f"there is no role {deploy}: apply bootstrap/") from None
    except KeyError:
        raise CheckFailed(f"the role {deploy} has no permissions boundary") from None
    external_id, name = secrets.token_urlsafe(32), trial.new_name()
    root = f"arn:{trial.examined.partition}:iam::{trial.examined.account}:root"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        PermissionsBoundary=boundary["PermissionsBoundaryArn"],
        Tags=[{"Key": key, "Value": value} for key, value in trial.tags.items()],
    )["Role"]
    made(f"role {name}", lambda: iam.delete_role(RoleName=name))
    for arn in (policy["PolicyArn"] for policy in attached):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        detach = partial(iam.detach_role_policy, RoleName=name, PolicyArn=arn)
        made(f"attachment of {arn}", detach)
    return role["Arn"], external_id


def _assumed(trial: Trial, role: tuple[str, str]) -> Callable[[str], Any]:
    """Return what makes clients with the credentials of a role."""
    arn, external_id = role
    sts = trial.client("sts")
    found = trial.later(
        lambda: sts.assume_role(
            RoleArn=arn, RoleSessionName="verify", ExternalId=external_id, DurationSeconds=900
        )
    )["Credentials"]

    def client(service: str) -> Any:
        own = trial.client(service).meta
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=own.region_name,
            endpoint_url=own.endpoint_url,
            config=own.config,
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
        )

    return client
