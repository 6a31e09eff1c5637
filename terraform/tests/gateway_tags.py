"""The tags that IAM compares for API Gateway: those of a request and those of its resource.

A child resource inherits the tags of its REST API, usage plan or domain name, as in API Gateway's
Developer Guide, "API Gateway resources that can be tagged".
"""

import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from local.aws.iam.calls import Call
from local.aws.iam.checks import Check, checks_of
from tests.harness import State

type Tags = Mapping[str, str]

# For each taggable type of resource: the collection of its ARN, and the attribute with its id.
_KINDS: Final = {
    "aws_api_gateway_rest_api": ("restapis", "id"),
    "aws_api_gateway_api_key": ("apikeys", "id"),
    "aws_api_gateway_usage_plan": ("usageplans", "id"),
    "aws_api_gateway_domain_name": ("domainnames", "domain_name"),
}


def resource_tags(state: State) -> dict[str, Tags]:
    """Return the tags of each taggable resource in a state, by its path: `/apikeys/ID`."""
    return {
        f"/{collection}/{item[attribute]}": item["tags_all"]
        for kind, (collection, attribute) in _KINDS.items()
        for item in state.resources(kind).values()
    }


def tagged_checks(call: Call, region: str, tags: Mapping[str, Tags]) -> Iterator[Check]:
    """Yield what IAM checks for a call, with the tags of request and resource in the context.

    Args:
        call: The recorded call.
        region: Its region.
        tags: The tags of the resources of API Gateway, by path.
    """
    requested: Tags = call.parameters.get("tags") or {}
    for check in checks_of(call, region):
        if call.service != "apigateway":
            yield check
            continue
        context = request_context(requested)
        if call.method == "DELETE" and "tagKeys" in call.parameters:
            context["aws:TagKeys"] = (call.parameters["tagKeys"],)
        own = replace(check, context=context)
        for one in (own, *_taggings(call.method, check.resource, requested)):
            found = tags.get(_tagged_path(one.resource), {})
            inherited = {f"aws:ResourceTag/{key}": value for key, value in found.items()}
            yield replace(one, context={**one.context, **inherited})


def request_context(tags: Tags) -> dict[str, str | tuple[str, ...]]:
    """Return IAM's context of a request that sets tags."""
    if not tags:
        return {}
    return {
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        "aws:TagKeys": tuple(sorted(tags)),
    }


def _taggings(method: str, arn: str, tags: Tags) -> Iterator[Check]:
    """Yield the further checks of a request that sets tags: PATCH on the resource, PUT on its tags.

    Terraform sets them when it creates a resource (POST on the collection) and by PUT on /tags/ARN.
    """
    context = request_context(tags)
    if not tags:
        return
    if method == "POST":
        resource = f"{arn}/new"
        yield Check("apigateway:PATCH", resource, context)
        yield Check("apigateway:PUT", tags_arn(resource), context)
    elif "::/tags/" in arn:
        yield Check("apigateway:PATCH", urllib.parse.unquote(arn.partition("/tags/")[2]), context)


def tags_arn(arn: str) -> str:
    """Return the ARN on which IAM checks requests for the tags of a resource of API Gateway."""
    return f"{arn.partition('::')[0]}::/tags/{urllib.parse.quote(arn, safe='')}"


def _tagged_path(arn: str) -> str:
    """Return the path of the resource whose tags apply to a resource of API Gateway."""
    path = urllib.parse.unquote(arn).rpartition("::")[2]
    return "/".join(path.split("/")[:3])
