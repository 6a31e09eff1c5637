"""A local implementation of AWS Budgets: moto lacks the subscribers and tags of a budget."""

from typing import Any

from local.aws.json_api import CREATED_AT, Item, JsonApi, Operation, RefusedOperationError
from local.aws.wsgi import Environ

_NO_END = 3_706_473_600  # AWS's end of a budget without one: 2087-06-15.


class Budgets(JsonApi):
    """Stores budgets with their notifications. No money is counted, and nobody is notified."""

    def __init__(self) -> None:
        super().__init__()
        self.budgets: dict[str, Item] = {}
        self._notifications: dict[str, list[Item]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def operation_name(self, environ: Environ) -> str | None:
        service, _, name = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")
        return name if service == "AWSBudgetServiceGateway" else None

    def operation(self, name: str) -> Operation | None:
        return {
            "CreateBudget": self._create,
            "DescribeBudget": lambda body: {"Budget": self._found(body)},
            "UpdateBudget": self._update,
            "DeleteBudget": self._delete,
            "CreateNotification": self._notify,
            "DeleteNotification": self._stop_notifying,
            "DescribeNotificationsForBudget": self._list_notifications,
            "DescribeSubscribersForNotification": self._list_subscribers,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }.get(name)

    def _create(self, body: Item) -> Item:
        name = body["Budget"]["BudgetName"]
        if name in self.budgets:
            raise RefusedOperationError("DuplicateRecordException", f"{name} exists already")
        self.budgets[name] = _completed(body["Budget"])
        self._notifications[name] = list(body.get("NotificationsWithSubscribers") or [])
        arn = f"arn:aws:budgets::{body['AccountId']}:budget/{name}"
        self._tags[arn] = _by_key(body.get("ResourceTags"))
        return {}

    def _update(self, body: Item) -> Item:
        self._found({"BudgetName": body["NewBudget"]["BudgetName"]})
        self.budgets[body["NewBudget"]["BudgetName"]] = _completed(body["NewBudget"])
        return {}

    def _delete(self, body: Item) -> Item:
        self._found(body)
        del self.budgets[body["BudgetName"]]
        return {}

    def _notify(self, body: Item) -> Item:
        self._of(body).append(
            {"Notification": body["Notification"], "Subscribers": body["Subscribers"]}
        )
        return {}

    def _stop_notifying(self, body: Item) -> Item:
        self._of(body).remove(self._notification(body))
        return {}

    def _list_notifications(self, body: Item) -> Item:
        return {"Notifications": [one["Notification"] for one in self._of(body)]}

    def _list_subscribers(self, body: Item) -> Item:
        return {"Subscribers": self._notification(body)["Subscribers"]}

    def _list_tags(self, body: Item) -> Item:
        tags = self._tags.get(body["ResourceARN"], {})
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tag(self, body: Item) -> Item:
        self._tags.setdefault(body["ResourceARN"], {}).update(_by_key(body["ResourceTags"]))
        return {}

    def _untag(self, body: Item) -> Item:
        for key in body["ResourceTagKeys"]:
            self._tags.get(body["ResourceARN"], {}).pop(key, None)
        return {}

    def _found(self, body: Item) -> Item:
        name = body["BudgetName"]
        if name not in self.budgets:
            raise RefusedOperationError("NotFoundException", f"there is no budget {name}")
        return self.budgets[name]

    def _of(self, body: Item) -> list[Item]:
        self._found(body)
        return self._notifications[body["BudgetName"]]

    def _notification(self, body: Item) -> Item:
        wanted = _identity(body["Notification"])
        for one in self._of(body):
            if _identity(one["Notification"]) == wanted:
                return one
        raise RefusedOperationError("NotFoundException", "there is no such notification")


def _completed(budget: Item) -> Item:
    """Return a budget with what AWS adds to it."""
    period = {"Start": CREATED_AT, "End": _NO_END, **(budget.get("TimePeriod") or {})}
    return {**budget, "TimePeriod": period, "LastUpdatedTime": CREATED_AT}


def _by_key(tags: list[Item] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _identity(notification: Item) -> tuple[Any, ...]:
    return (
        notification["NotificationType"],
        notification["ComparisonOperator"],
        float(notification["Threshold"]),
        notification.get("ThresholdType", "PERCENTAGE"),
    )
