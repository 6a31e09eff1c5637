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
    _dispose_of_delete_markers()
    _keep_labels()


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


def _dispose_of_delete_markers() -> None:
    """Let a bucket be emptied that was versioned: moto disposes of each version's content, and a
    delete marker has none.
    """
    from moto.s3.models import FakeDeleteMarker

    repaired: Any = FakeDeleteMarker
    repaired.dispose = lambda *_: None


def _keep_labels() -> None:
    """Let a version of a secret keep its own labels when another becomes current."""
    from moto.secretsmanager.models import FakeSecret

    own: Any = FakeSecret.reset_default_version

    def reset_default_version(secret: Any, version: dict[str, Any], version_id: str) -> None:
        # Taken from the lists before moto replaces them; AWS moves the two labels of its own only.
        labels = {
            name: [s for s in item["version_stages"] if s not in {"AWSCURRENT", "AWSPREVIOUS"}]
            for name, item in secret.versions.items()
        }
        own(secret, version, version_id)
        for name, kept in labels.items():
            if name == version_id:
                continue
            stages = secret.versions[name]["version_stages"]
            stages += [label for label in kept if label not in stages]

    repaired: Any = FakeSecret
    repaired.reset_default_version = reset_default_version
