"""Where moto answers, and wrongly, for what Terraform makes of it."""

import functools
import json
from types import SimpleNamespace
from typing import Any

from local.blueprint import ACCOUNT_ID


@functools.cache
def repair_moto() -> None:
    """Repair it, once in a process; it must be imported already, which takes a second."""
    _allow_foreign_layers()
    _allow_plain_http()


def _allow_foreign_layers() -> None:
    """Let a function name a layer of another account: moto looks for it among its own."""
    from moto.awslambda.models import LayerStorage

    own: Any = LayerStorage.get_layer_version_by_arn

    def get_layer_version_by_arn(storage: Any, arn: str) -> Any:
        if f":{ACCOUNT_ID}:" in arn:
            return own(storage, arn)
        return SimpleNamespace(arn=arn, code_size=0)

    repaired: Any = LayerStorage
    repaired.get_layer_version_by_arn = get_layer_version_by_arn


def _allow_plain_http() -> None:
    """Let a bucket be used whose policy refuses plain HTTP: moto overlooks the condition and
    refuses everything, and the loopback interface has no TLS to ask for.
    """
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(bucket.policy)
        policy["Statement"] = [
            statement
            for statement in policy["Statement"]
            if "aws:SecureTransport" not in statement.get("Condition", {}).get("Bool", {})
        ]
        if not policy["Statement"]:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

    repaired: Any = FakeBucket
    repaired.get_permission = get_permission
