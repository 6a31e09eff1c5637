"""The stand-in for AWS Budgets returns what Terraform's provider reads after it has written."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.budgets import Budgets
from local.aws.server import EmbeddedAws, boto3_client

ACCOUNT = "123456789012"
NOTIFICATION = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}
SUBSCRIBER = {"SubscriptionType": "SNS", "Address": f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"}


@pytest.fixture
def client() -> Iterator[Any]:
    aws = EmbeddedAws([Budgets()])
    aws.serve()
    try:
        yield boto3_client("budgets", endpoint_url=aws.url, region="us-east-1")
    finally:
        aws.stop()


def test_a_budget_is_kept_with_its_notifications_and_tags_until_it_is_deleted(client: Any) -> None:
    named = {"AccountId": ACCOUNT, "BudgetName": "dev"}
    budget = {
        "BudgetName": "dev",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "60", "Unit": "USD"},
    }
    tags = [{"Key": "Environment", "Value": "dev"}]
    client.create_budget(AccountId=ACCOUNT, Budget=budget, ResourceTags=tags)
    client.create_notification(**named, Notification=NOTIFICATION, Subscribers=[SUBSCRIBER])

    assert client.describe_budget(**named)["Budget"]["BudgetLimit"]["Amount"] == "60"
    assert client.describe_notifications_for_budget(**named)["Notifications"] == [NOTIFICATION]
    found = client.describe_subscribers_for_notification(**named, Notification=NOTIFICATION)
    assert found["Subscribers"] == [SUBSCRIBER]
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/dev"
    assert client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags

    client.delete_notification(**named, Notification=NOTIFICATION)
    assert client.describe_notifications_for_budget(**named)["Notifications"] == []
    client.delete_budget(**named)
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_budget(**named)
