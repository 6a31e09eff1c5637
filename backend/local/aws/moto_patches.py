"""Patches for bugs of moto 5.2.5 that Terraform runs into.

Each replaces a method inside moto. A test of each fails with a clear text if moto changes it.
"""

import functools
import json
from types import SimpleNamespace
from typing import Any

from local.blueprint import ACCOUNT_ID


@functools.cache
def patch_moto() -> None:
    """Apply all patches, once in a process. Imports moto, which takes a second."""
    _allow_foreign_layers()
    _ignore_conditional_statements()
    _dispose_of_delete_markers()
    _keep_labels()
    _keep_transfer_mode()


def _allow_foreign_layers() -> None:
    """Let a function use a layer of another account: moto looks for it among its own layers."""
    from moto.awslambda.models import LayerStorage

    original: Any = LayerStorage.get_layer_version_by_arn

    def get_layer_version_by_arn(storage: Any, arn: str) -> Any:
        if f":{ACCOUNT_ID}:" in arn:
            return original(storage, arn)
        return SimpleNamespace(arn=arn, code_size=0)

    patched: Any = LayerStorage
    patched.get_layer_version_by_arn = get_layer_version_by_arn


def _ignore_conditional_statements() -> None:
    """Ignore statements of a bucket policy that have a condition, such as that a request comes
    without TLS or without If-None-Match: moto ignores the condition instead, and denies every
    request.
    """
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(bucket.policy)
        policy["Statement"] = [
            statement for statement in policy["Statement"] if not statement.get("Condition")
        ]
        if not policy["Statement"]:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

    patched: Any = FakeBucket
    patched.get_permission = get_permission


def _dispose_of_delete_markers() -> None:
    """Let versioned buckets be emptied: moto disposes of each version's content and fails on delete
    markers, which have none.
    """
    from moto.s3.models import FakeDeleteMarker

    patched: Any = FakeDeleteMarker
    patched.dispose = lambda *_: None


def _keep_labels() -> None:
    """Keep a secret version's custom labels when another becomes current: moto drops them."""
    from moto.secretsmanager.models import FakeSecret

    original: Any = FakeSecret.reset_default_version

    def reset_default_version(secret: Any, version: dict[str, Any], version_id: str) -> None:
        # AWS moves AWSCURRENT and AWSPREVIOUS only. Read before moto replaces the lists.
        labels = {
            name: [s for s in item["version_stages"] if s not in {"AWSCURRENT", "AWSPREVIOUS"}]
            for name, item in secret.versions.items()
        }
        original(secret, version, version_id)
        for name, kept in labels.items():
            if name == version_id:
                continue
            stages = secret.versions[name]["version_stages"]
            stages += [label for label in kept if label not in stages]

    patched: Any = FakeSecret
    patched.reset_default_version = reset_default_version


def _keep_transfer_mode() -> None:
    """Keep the transfer mode, the time and the authorizer of a method that CloudFormation makes,
    and replace and delete such a method: moto drops the three, and ignores both changes.
    """
    from moto.apigateway.models import Integration, Method, apigateway_backends

    create: Any = vars(Method)["create_from_cloudformation_json"].__func__
    to_json: Any = Integration.to_json

    def created(
        cls: Any, /, name: str, content: Any, account_id: str, region_name: str, **more: Any
    ) -> Any:
        method = create(cls, name, content, account_id, region_name, **more)
        properties = content["Properties"]
        method.authorizer_id = properties.get("AuthorizerId")
        integration, given = method.method_integration, properties["Integration"]
        integration.timeout_in_millis = given.get("TimeoutInMillis")
        integration.response_transfer_mode = given.get("ResponseTransferMode")
        return method

    def updated(
        cls: Any, /, *, new_resource_name: str, cloudformation_json: Any, **place: Any
    ) -> Any:
        del place["original_resource"]
        return created(cls, new_resource_name, cloudformation_json, **place)

    def deleted(_cls: Any, /, _name: str, content: Any, account_id: str, region_name: str) -> None:
        properties = content["Properties"]
        apigateway_backends[account_id][region_name].delete_method(
            properties["RestApiId"], properties["ResourceId"], properties["HttpMethod"]
        )

    def to_json_with_mode(integration: Any) -> Any:
        mode = getattr(integration, "response_transfer_mode", None)
        return to_json(integration) | ({"responseTransferMode": mode} if mode else {})

    patched: Any = Method
    patched.create_from_cloudformation_json = classmethod(created)
    patched.update_from_cloudformation_json = classmethod(updated)
    patched.delete_from_cloudformation_json = classmethod(deleted)
    patched_integration: Any = Integration
    patched_integration.to_json = to_json_with_mode
