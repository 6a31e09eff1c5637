"""The front door's operations as resources and methods of API Gateway.

Terraform reads them from terraform/operations.json. A resource needs its parent's id, so the paths
are sorted by depth: Terraform has one block of resources for each depth.
"""

from typing import Any, Final

from contract.document import REPOSITORY, SERVICE, Document
from shared.description.document import operations

FILE: Final = REPOSITORY / "terraform" / "operations.json"

DEPTHS: Final = 3
"""The depths below the service's own path for which api-gateway.tf has a block."""

_TAG_OF_PROBES: Final = "health"
_EVENTS: Final = "text/event-stream"


def gateway_operations(document: Document) -> dict[str, Any]:
    """Return the content of terraform/operations.json.

    `operations` has the method and path of each operation by its name. The health probes are left
    out, which `{proxy+}` serves, and so are streams: a method that streams is declared differently.
    `paths` has the parent and the last part of each path, by depth.

    Raises:
        ValueError: A path is deeper than the blocks in api-gateway.tf.
    """
    named = {
        operation["operationId"]: {"method": method, "path": f"{SERVICE}{path}"}
        for method, path, operation in operations(document)
        if _TAG_OF_PROBES not in operation.get("tags", []) and not _streams(operation)
    }
    paths: dict[str, dict[str, Any]] = {str(depth): {} for depth in range(1, DEPTHS + 1)}
    for operation in named.values():
        parent, *parts = operation["path"].split("/")
        for depth, part in enumerate(parts, 1):
            if depth > DEPTHS:
                raise ValueError(
                    f"{operation['path']} is deeper than {DEPTHS}: add a block to api-gateway.tf"
                )
            path = f"{parent}/{part}"
            paths[str(depth)][path] = {"parent": parent, "part": part}
            parent = path
    return {
        "operations": dict(sorted(named.items())),
        "paths": {depth: dict(sorted(found.items())) for depth, found in paths.items()},
    }


def _streams(operation: Document) -> bool:
    answers = operation.get("responses", {}).values()
    return any(_EVENTS in answer.get("content", {}) for answer in answers)
