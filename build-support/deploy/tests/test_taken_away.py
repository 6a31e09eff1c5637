"""A plan that takes a right or a route from the version that serves is found."""

import json
from typing import Any

import pytest

from deploy.taken_away import changes_code, taken_away

READ = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:bucket/*"}


def _policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _update(before: str, after: str | None, kind: str = "aws_iam_policy") -> dict[str, Any]:
    change = {"actions": ["update"], "before": {"policy": before}, "after": {"policy": after}}
    return {"resource_changes": [{"address": "it.self", "type": kind, "change": change}]}


@pytest.mark.parametrize(
    "kind",
    [
        "aws_api_gateway_integration",
        "aws_api_gateway_method",
        "aws_api_gateway_resource",
        "aws_iam_policy",
        "aws_iam_role_policy_attachment",
        "aws_lambda_permission",
    ],
)
def test_a_route_or_a_grant_that_is_destroyed_is_found(kind: str) -> None:
    change: dict[str, Any] = {"actions": ["delete"], "before": {}, "after": None}
    plan = {"resource_changes": [{"address": "it.self", "type": kind, "change": change}]}
    [line] = taken_away(plan)
    assert line.startswith("it.self: the ")
    change["actions"] = ["create"]
    assert taken_away(plan) == []


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        ({**READ, "Action": "s3:GetObject"}, ["s3:PutObject on arn:bucket/* is taken away"]),
        (
            {**READ, "Resource": "arn:bucket/a/*"},
            [
                "s3:GetObject on arn:bucket/* is taken away",
                "s3:PutObject on arn:bucket/* is taken away",
            ],
        ),
        (
            {**READ, "Action": READ["Action"][:1], "Condition": {"Bool": {"x": "true"}}},
            [
                "s3:GetObject on arn:bucket/* is taken away",
                "s3:PutObject on arn:bucket/* is taken away",
            ],
        ),
    ],
    ids=["action", "resource", "condition"],
)
def test_a_right_that_a_policy_loses_is_named(after: dict[str, Any], lines: list[str]) -> None:
    plan = _update(_policy(READ), _policy(after))
    assert taken_away(plan) == [f"it.self: {line}" for line in lines]


def test_a_new_denial_takes_away() -> None:
    denial = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
    assert taken_away(_update(_policy(READ), _policy(READ, denial))) == [
        "it.self: s3:PutObject on * is denied"
    ]
    assert taken_away(_update(_policy(READ, denial), _policy(READ))) == []


@pytest.mark.parametrize(
    "after",
    [
        _policy(READ, {**READ, "Sid": "More", "Resource": ["arn:other/*"]}),
        _policy({**READ, "Sid": "Renamed", "Action": ["s3:PutObject", "s3:GetObject"]}),
        _policy(*({**READ, "Action": action} for action in READ["Action"])),
        None,  # known while it is applied
    ],
    ids=["more", "order", "split", "unknown"],
)
def test_a_policy_that_grants_the_same_or_more_is_no_finding(after: str | None) -> None:
    assert taken_away(_update(_policy(READ), after)) == []


def test_a_policy_of_another_kind_is_no_right_of_a_service() -> None:
    assert taken_away(_update(_policy(READ), _policy(), "aws_s3_bucket_policy")) == []


def test_functions_that_get_another_package_are_named() -> None:
    def function(address: str, before: str, after: str) -> dict[str, Any]:
        change = {
            "actions": ["update"],
            "before": {"source_code_hash": before},
            "after": {"source_code_hash": after},
        }
        return {"address": address, "type": "aws_lambda_function", "change": change}

    changes = [function("module.chat", "a", "a"), function("module.api", "a", "b")]
    assert changes_code({"resource_changes": changes}) == ["module.api"]
