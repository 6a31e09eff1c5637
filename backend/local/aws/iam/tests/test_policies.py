"""Policies are evaluated, and requests mapped to actions, as AWS does."""

import json
from typing import Any

import pytest

from local.aws.iam.calls import Call
from local.aws.iam.checks import Check, checks_of
from local.aws.iam.policies import Policies

SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:fin-advisor/dev"


def _policies(*statements: dict[str, Any], boundary: str | None = None) -> Policies:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return Policies({"policy": document}, boundary)


def _allow(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Sid": "It", "Effect": "Allow", "Action": [action], "Resource": resource, **more}


def test_a_pattern_for_all_services_allows_reading_the_keys_of_others() -> None:
    """The snippet in requirements.md has the wide policy; the deployed one is narrow."""
    wide = _policies(_allow("secretsmanager:GetSecretValue", f"{SECRETS}/*/api-key-*"))
    narrow = _policies(_allow("secretsmanager:GetSecretValue", f"{SECRETS}/api/api-key-*"))
    other = Check("secretsmanager:GetSecretValue", f"{SECRETS}/chat/api-key-abcdef")
    assert wide.allows(other)
    assert not narrow.allows(other)


def test_an_action_without_a_statement_is_not_allowed() -> None:
    assert not _policies(_allow("s3:GetObject", "*")).allows(Check("s3:PutObject", "any"))


def test_a_deny_overrides_an_allow() -> None:
    policies = _policies(
        _allow("s3:GetObject", "*"),
        {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::mine/*"},
    )
    assert policies.allows(Check("s3:GetObject", "arn:aws:s3:::mine/a"))
    assert not policies.allows(Check("s3:GetObject", "arn:aws:s3:::yours/a"))


def test_a_boundary_limits_the_policies() -> None:
    boundary = json.dumps({"Statement": [_allow("s3:GetObject", "arn:aws:s3:::mine/*")]})
    policies = _policies(_allow("s3:GetObject", "*"), boundary=boundary)
    assert policies.allows(Check("s3:GetObject", "arn:aws:s3:::mine/a"))
    assert not policies.allows(Check("s3:GetObject", "arn:aws:s3:::yours/a"))


def test_a_condition_on_a_missing_key_is_not_met() -> None:
    condition = {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}
    policies = _policies(_allow("iam:PassRole", "*", Condition=condition))
    assert not policies.allows(Check("iam:PassRole", "role"))
    to_lambda = {"iam:PassedToService": "lambda.amazonaws.com"}
    assert policies.allows(Check("iam:PassRole", "role", to_lambda))


@pytest.mark.parametrize("operator", ["Bool", "BoolIfExists", "ForAnyValue:Bool", "NullIfExists"])
def test_an_unknown_condition_operator_is_refused_also_where_its_key_is_missing(
    operator: str,
) -> None:
    with pytest.raises(ValueError, match=operator):
        _policies(_allow("s3:GetObject", "*", Condition={operator: {"a": "true"}}))


@pytest.mark.parametrize(
    "more",
    [
        {"NotAction": "s3:*"},
        {"Principal": "*"},
        {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}},
    ],
)
def test_what_the_evaluator_does_not_know_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not evaluated here"):
        _policies(_allow("s3:GetObject", "*", **more))


TAG = "aws:ResourceTag/Environment"


@pytest.mark.parametrize(
    ("operator", "expected", "allowed"),
    [
        # Allowed where the tag is "dev", where it is "prod", and where there is none.
        ("StringEquals", "dev", (True, False, False)),
        ("StringEqualsIfExists", "dev", (True, False, True)),
        ("StringNotEquals", "dev", (False, True, True)),
        ("StringNotEqualsIfExists", "dev", (False, True, True)),
        ("StringLike", "d*", (True, False, False)),
        ("StringNotLike", "d*", (False, True, True)),
        ("Null", "true", (False, False, True)),
        ("Null", "false", (True, True, False)),
    ],
)
def test_each_operator_decides_by_the_tag_or_its_absence(
    operator: str, expected: str, allowed: tuple[bool, ...]
) -> None:
    policies = _policies(_allow("apigateway:DELETE", "*", Condition={operator: {TAG: expected}}))
    contexts: list[dict[str, str]] = [{TAG: "dev"}, {TAG: "prod"}, {}]
    found = tuple(policies.allows(Check("apigateway:DELETE", "any", one)) for one in contexts)
    assert found == allowed


@pytest.mark.parametrize(
    ("operator", "allowed"),
    [
        # Allowed for the keys (a), (a, b), (b) and for none.
        ("ForAnyValue:StringEquals", (True, True, False, False)),
        ("ForAllValues:StringEquals", (True, False, False, True)),
        ("ForAllValues:StringNotEquals", (False, False, True, True)),
    ],
)
def test_operators_on_several_values(operator: str, allowed: tuple[bool, ...]) -> None:
    condition = {operator: {"aws:TagKeys": ["a"]}}
    policies = _policies(_allow("apigateway:PUT", "*", Condition=condition))
    keys: list[dict[str, tuple[str, ...]]] = [
        {"aws:TagKeys": ("a",)},
        {"aws:TagKeys": ("a", "b")},
        {"aws:TagKeys": ("b",)},
        {},
    ]
    found = tuple(policies.allows(Check("apigateway:PUT", "any", one)) for one in keys)
    assert found == allowed


def test_the_names_of_condition_keys_are_case_insensitive() -> None:
    policies = _policies(_allow("s3:GetObject", "*", Condition={"StringEquals": {TAG: "dev"}}))
    assert policies.allows(Check("s3:GetObject", "any", {"AWS:resourcetag/environment": "dev"}))


def test_grants_that_no_request_used_are_found() -> None:
    policies = _policies(_allow("s3:GetObject", "*"), _allow("s3:PutObject", "*"))
    used = policies.used([Check("s3:GetObject", "any")])
    assert [g.action for g in policies.grants() if g not in used] == ["s3:PutObject"]


def test_creating_a_function_passes_its_role() -> None:
    parameters = {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r"}
    call = Call("lambda", "CreateFunction", parameters, "/2015-03-31/functions", "POST")
    assert {(c.action, c.resource) for c in checks_of(call, "us-east-1")} == {
        ("lambda:CreateFunction", "arn:aws:lambda:us-east-1:123456789012:function:f"),
        ("lambda:TagResource", "arn:aws:lambda:us-east-1:123456789012:function:f"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/r"),
    }


def test_s3s_operations_have_the_actions_of_the_authorization_reference() -> None:
    call = Call("s3", "GetBucketLifecycleConfiguration", {"Bucket": "b"}, "/b", "GET")
    [check] = checks_of(call, "us-east-1")
    assert (check.action, check.resource) == ("s3:GetLifecycleConfiguration", "arn:aws:s3:::b")


INDEX = {"vectorBucketName": "b", "indexName": "i"}
INDEX_ARN = "arn:aws:s3vectors:us-east-1:123456789012:bucket/b/index/i"


@pytest.mark.parametrize(
    ("operation", "parameters", "actions", "resource"),
    [
        ("PutVectors", INDEX, {"PutVectors"}, INDEX_ARN),
        ("PutVectors", {"indexArn": INDEX_ARN}, {"PutVectors"}, INDEX_ARN),
        ("QueryVectors", {**INDEX, "returnDistance": True}, {"QueryVectors"}, INDEX_ARN),
        ("QueryVectors", {**INDEX, "filter": {}}, {"QueryVectors", "GetVectors"}, INDEX_ARN),
        ("GetVectorBucket", {"vectorBucketName": "b"}, {"GetVectorBucket"}, INDEX_ARN[:-8]),
    ],
)
def test_a_call_of_s3_vectors_is_for_its_index_or_bucket(
    operation: str, parameters: dict[str, Any], actions: set[str], resource: str
) -> None:
    call = Call("s3vectors", operation, parameters, f"/{operation}", "POST")
    assert {(c.action, c.resource) for c in checks_of(call, "us-east-1")} == {
        (f"s3vectors:{action}", resource) for action in actions
    }
