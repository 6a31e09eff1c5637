"""Requests that one environment's roles may or may not make of another environment in one account.

The rows of the table in SECURITY.md, "What a role may do in another environment".
"""

from collections.abc import Mapping
from typing import Final

from local.aws.iam.checks import Check
from tests.gateway_tags import request_context, tags_arn

_ACCOUNT: Final = "123456789012"
_REGION: Final = "us-east-1"
_GATEWAY: Final = f"arn:aws:apigateway:{_REGION}::"
_ZONE: Final = "Z0123456789ABC"
_NAMES: Final = "route53:ChangeResourceRecordSetsNormalizedRecordNames"

# The variable dns_records: all environments share one zone.
DNS_RECORDS: Final = {
    environment: {"zone_id": _ZONE, "names": [f"{environment}.example.com"]}
    for environment in ("dev", "test", "prod")
}


def requests(own: str, target: str) -> Mapping[str, list[Check]]:
    """Return what IAM checks for each request of a role of `own` for a resource of `target`."""
    project, prefix, path = "fin-advisor", f"fin-advisor-{target}", f"fin-advisor/{target}"
    tags = {"Environment": target, "Project": project}
    resource = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    state = f"arn:aws:s3:::{project}-tfstate-{_ACCOUNT}-{_REGION}/{target}/terraform.tfstate"
    role = f"arn:aws:iam::{_ACCOUNT}:role/{prefix}-lambda-api"
    api = f"{_GATEWAY}/restapis/abc"

    def gateway(method: str, arn: str) -> list[Check]:
        return [Check(f"apigateway:{method}", arn, resource)]

    def regional(action: str, resource_part: str) -> list[Check]:
        service = action.partition(":")[0]
        return [Check(action, f"arn:aws:{service}:{_REGION}:{_ACCOUNT}:{resource_part}")]

    def record(*names: str) -> list[Check]:
        zone = f"arn:aws:route53:::hostedzone/{_ZONE}"
        return [Check("route53:ChangeResourceRecordSets", zone, {_NAMES: names})]

    return {
        "create a REST API": [
            Check("apigateway:POST", f"{_GATEWAY}/restapis", request_context(tags))
        ],
        "read a REST API": gateway("GET", api),
        "delete a REST API": gateway("DELETE", api),
        "replace an integration": gateway("PUT", f"{api}/resources/r/methods/ANY/integration"),
        "deploy a REST API": gateway("POST", f"{api}/deployments"),
        "point a stage at another deployment": gateway("PATCH", f"{api}/stages/{target}"),
        "take off the web ACL": [
            Check("apigateway:SetWebACL", f"{api}/stages/{target}", resource),
            Check("wafv2:DisassociateWebACL", f"{api}/stages/{target}", resource),
        ],
        "change a usage plan": gateway("PATCH", f"{_GATEWAY}/usageplans/one"),
        "add a key to a usage plan": gateway("POST", f"{_GATEWAY}/usageplans/one/keys"),
        "create an API key": [
            Check("apigateway:POST", f"{_GATEWAY}/apikeys", request_context(tags))
        ],
        "read an API key": gateway("GET", f"{_GATEWAY}/apikeys/one"),
        "list all API keys of the account": [Check("apigateway:GET", f"{_GATEWAY}/apikeys")],
        "disable an API key": gateway("PATCH", f"{_GATEWAY}/apikeys/one"),
        "delete an API key": gateway("DELETE", f"{_GATEWAY}/apikeys/one"),
        "map its domain name to an API": gateway(
            "POST", f"{_GATEWAY}/domainnames/{target}.example.com/basepathmappings"
        ),
        "tag a resource as the role's own": [
            Check(action, arn, {**resource, **request_context({"Environment": own})})
            for action, arn in (("apigateway:PATCH", api), ("apigateway:PUT", tags_arn(api)))
        ],
        "remove the Environment tag": [
            Check("apigateway:PATCH", api, resource),
            Check(
                "apigateway:DELETE", tags_arn(api), {**resource, "aws:TagKeys": ("Environment",)}
            ),
        ],
        "change the environment's DNS record": record(f"{target}.example.com"),
        "change another DNS record of its zone": record(f"{target}.example.com", "example.com"),
        "read the Terraform state": [Check("s3:GetObject", state)],
        "write the Terraform state": [Check("s3:PutObject", state)],
        "read a secret": regional(
            "secretsmanager:GetSecretValue", f"secret:{path}/api/api-key-abcdef"
        ),
        "replace a function's code": regional(
            "lambda:UpdateFunctionCode", f"function:{prefix}-api"
        ),
        "invoke a function": regional("lambda:InvokeFunction", f"function:{prefix}-api"),
        "read a stored document": [
            Check("s3:GetObject", f"arn:aws:s3:::{prefix}-vectors-{_ACCOUNT}-{_REGION}/one")
        ],
        "delete the table of conversations": regional(
            "dynamodb:DeleteTable", f"table/{prefix}-conversations"
        ),
        "delete a log group": regional(
            "logs:DeleteLogGroup", f"log-group:/aws/lambda/{prefix}-api"
        ),
        "create a role": [Check("iam:CreateRole", role)],
        "attach a policy to a service's role": [
            Check(
                "iam:AttachRolePolicy",
                role,
                {"iam:PolicyARN": f"arn:aws:iam::{_ACCOUNT}:policy/{path}/any"},
            )
        ],
        "pass a service's role to Lambda": [
            Check("iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"})
        ],
        "push an image": regional("ecr:PutImage", f"repository/{project}/runner"),
        "delete an image": regional("ecr:BatchDeleteImage", f"repository/{project}/runner"),
        "read traces": [Check("xray:GetTraceSummaries", "*")],
    }
