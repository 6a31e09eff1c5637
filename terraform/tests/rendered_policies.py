"""The policies of bootstrap/, rendered by a plan: nothing is applied."""

from pathlib import Path
from typing import Any

from local.aws.iam.policies import Policies
from local.aws.terraform_aws import TerraformAws
from local.terraform.layer_copy import variable_options
from tests.harness import Layer
from tests.lifecycle import GITHUB


class RenderedPolicies:
    """The policy documents in a plan of bootstrap/, by name.

    Args:
        folder: An empty folder for a copy of the layer.
        variables: Variables beside those of GitHub.

    Raises:
        LookupError: A policy refers to something that does not exist yet.
    """

    def __init__(self, folder: Path, **variables: Any) -> None:
        aws = TerraformAws()
        aws.serve()
        try:
            layer = Layer("bootstrap", folder / "bootstrap", endpoint_url=aws.url)
            layer.init()
            plan = layer.plan("-refresh=false", *variable_options({**GITHUB, **variables}))
        finally:
            aws.stop()
        self.documents: dict[str, str] = {}
        for item in plan.planned("aws_iam_policy").values():
            if "policy" not in item:
                raise LookupError(f"the plan does not know the policy {item['name']}")
            self.documents[item["name"]] = item["policy"]

    def of_role(self, role: str, *, bounded: bool = True) -> Policies:
        """Return the policies named after a role, under its boundary if there is one."""
        boundary = self.documents.get(f"{role}-boundary") if bounded else None
        names = [name for name in self.documents if name.startswith(f"{role}-")]
        documents = {n: self.documents[n] for n in names if n != f"{role}-boundary"}
        if not documents:
            raise LookupError(f"no policy is named after {role}")
        return Policies(documents, boundary)

    def alone(self, name: str) -> Policies:
        """Return one policy, such as a boundary, as if it were all that a role has."""
        return Policies({name: self.documents[name]})
