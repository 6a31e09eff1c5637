"""The roles of the embedded AWS: their temporary credentials, and what their policies allow."""

import json
import threading
from typing import Any, Final

from local.aws.iam.checks import Check
from local.aws.iam.policies import Policies
from local.aws.server import boto3_client
from local.blueprint import ACCOUNT_ID, REGION

_SESSION: Final = "local"


class Roles:
    """The roles that were assumed, by the access keys of their credentials.

    Policies are read when a role is assumed, and again after `forget`. Thread-safe.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._names: dict[str, str] = {}
        self._policies: dict[str, Policies] = {}
        self._version = 0
        self._lock = threading.Lock()

    def assume(self, role: str) -> dict[str, str]:
        """The variables with new temporary credentials of the role, by STS. Blocks."""
        sts = boto3_client("sts", endpoint_url=self._endpoint_url, region=REGION)
        arn = f"arn:aws:iam::{ACCOUNT_ID}:role/{role}"
        self._policies[role] = self._read(role)
        given = sts.assume_role(RoleArn=arn, RoleSessionName=_SESSION)["Credentials"]
        self._names[given["AccessKeyId"]] = role
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def named(self, access_key: str) -> str | None:
        """The role that these credentials belong to; None if nobody assumed it here."""
        return self._names.get(access_key)

    def allow(self, role: str, check: Check) -> bool:
        """Whether the role's policies and its boundary allow an action. Blocks after `forget`.

        Raises ValueError if a policy has something that is not evaluated here.
        """
        with self._lock:
            policies, version = self._policies.get(role), self._version
        if policies is None:
            policies = self._read(role)
            with self._lock:
                if version == self._version:  # otherwise it was changed while it was read
                    self._policies[role] = policies
        return policies.allows(check)

    def forget(self) -> None:
        """Read the policies again, because one of them may have changed."""
        with self._lock:
            self._version += 1
            self._policies.clear()

    def _read(self, role: str) -> Policies:
        iam = boto3_client("iam", endpoint_url=self._endpoint_url, region=REGION)
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        documents = {one["PolicyName"]: _document(iam, one["PolicyArn"]) for one in attached}
        boundary = iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary")
        limit = _document(iam, boundary["PermissionsBoundaryArn"]) if boundary else None
        return Policies(documents, limit)


def _document(iam: Any, arn: str) -> str:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    return json.dumps(found["Document"])  # botocore has parsed it
