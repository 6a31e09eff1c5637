"""The summary of a plan shows no values; the loss of protected resources is found."""

from typing import Any

import pytest

from deploy.plan_summary import PlanSummary

BUCKET = 'aws_s3_bucket.main["vectors"]'


def _plan(*changes: tuple[str, str, list[str]]) -> dict[str, Any]:
    return {
        "format_version": "1.2",
        "resource_changes": [
            {
                "address": address,
                "type": kind,
                "change": {
                    "actions": actions,
                    "before": {"secret": "hidden"},
                    "after": {"secret": "hidden"},
                    "replace_paths": [["bucket"]] if len(actions) == 2 else [],
                },
            }
            for address, kind, actions in changes
        ],
    }


@pytest.mark.parametrize(
    "kind",
    [
        "aws_s3_bucket",
        "aws_secretsmanager_secret",
        "aws_api_gateway_rest_api",
        "aws_cloudformation_stack",
        "aws_api_gateway_domain_name",
        "aws_api_gateway_usage_plan",
        "aws_apprunner_service",
        "aws_cloudwatch_log_group",
        "aws_dynamodb_table",
        "aws_lambda_function",
    ],
)
@pytest.mark.parametrize(
    "actions", [["delete"], ["delete", "create"], ["create", "delete"], ["forget"]]
)
def test_the_loss_of_a_protected_resource_is_refused_unless_it_is_allowed(
    kind: str, actions: list[str]
) -> None:
    summary = PlanSummary.of(_plan(("it.self", kind, actions), ("it.other", kind, actions)))
    assert len(summary.forbidden([])) == 2
    [line] = summary.forbidden(["it.self"])
    assert line.startswith("it.other: the plan would ")
    assert summary.forbidden(["it.self", "it.other"]) == []


def test_the_attribute_that_forces_a_replacement_is_named() -> None:
    summary = PlanSummary.of(_plan((BUCKET, "aws_s3_bucket", ["delete", "create"])))
    assert summary.forbidden([]) == [
        f"{BUCKET}: the plan would replace it, forced by bucket; it contains documents"
    ]


def test_creating_and_changing_is_allowed() -> None:
    changes = [("a", "aws_s3_bucket", ["create"]), ("b", "aws_s3_bucket", ["update"])]
    assert PlanSummary.of(_plan(*changes)).forbidden([]) == []


def test_other_resources_may_be_replaced() -> None:
    changes = ("a", "aws_api_gateway_deployment", ["create", "delete"])
    assert PlanSummary.of(_plan(changes)).forbidden([]) == []


def test_an_allowed_address_that_is_not_in_the_plan_is_found() -> None:
    summary = PlanSummary.of(_plan((BUCKET, "aws_s3_bucket", ["delete"])))
    assert summary.unused([BUCKET, "aws_s3_bucket.main"]) == ["aws_s3_bucket.main"]


def test_the_summary_counts_changes_and_shows_no_value() -> None:
    text = PlanSummary.of(
        _plan(
            ("a", "aws_sns_topic", ["create"]),
            ("b", "aws_sns_topic", ["create"]),
            ("c", "aws_sns_topic", ["update"]),
            ("d", "aws_sns_topic", ["no-op"]),
            ("e", "aws_iam_role", ["read"]),
        )
    ).markdown("Plan of dev")
    assert text.startswith("### Plan of dev: 1 to change, 2 to create")
    assert "hidden" not in text
    assert "`d`" not in text
    assert "`e`" not in text


def test_the_names_of_changed_attributes_are_shown_and_no_value() -> None:
    plan = {
        "resource_changes": [
            {
                "address": "module.api.aws_lambda_function.main",
                "type": "aws_lambda_function",
                "change": {
                    "actions": ["update"],
                    "before": {"timeout": 30, "memory_size": 512, "environment": [{"KEY": "old"}]},
                    "after": {"timeout": 30, "memory_size": 256, "environment": [{"KEY": "new"}]},
                    "after_unknown": {"version": True, "timeout": False},
                },
            }
        ]
    }
    text = PlanSummary.of(plan).markdown("Plan of dev")
    assert "| environment, memory_size, version |  |" in text
    for value in ("512", "256", "old", "new", "KEY"):
        assert value not in text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ('aws_sns_topic_subscription.alarms["ada@example.com"]', 'alarms["…"]`'),
        ('module.a["x y"].aws_sns_topic.b["c"]', 'module.a["…"].aws_sns_topic.b["c"]`'),
        ("aws_sns_topic.alarms[0]", "alarms[0]`"),
        ('aws_api_gateway_resource.main["api/{proxy+}"]', 'main["…"]`'),
    ],
)
def test_a_key_of_an_instance_is_hidden_if_it_may_be_a_value(address: str, shown: str) -> None:
    text = PlanSummary.of(_plan((address, "aws_sns_topic", ["create"]))).markdown("Plan")
    assert shown in text
    assert "ada@" not in text


def test_a_long_plan_fits_into_a_comment() -> None:
    address = "aws_sns_topic." + "t" * 80
    changes = [(f"{address}{number}", "aws_sns_topic", ["create"]) for number in range(1000)]
    text = PlanSummary.of(_plan(*changes)).markdown("Plan")
    assert "1000 to create" in text
    assert "and 800 more" in text
    assert len(text) < 60_000


def test_an_empty_plan_changes_nothing() -> None:
    assert PlanSummary.of(_plan()).markdown("Plan of dev") == "### Plan of dev: nothing changes"
