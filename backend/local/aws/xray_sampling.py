"""A local implementation of X-Ray's sampling rules, which moto lacks."""

from local.aws.json_api import (
    CREATED_AT,
    Item,
    JsonApi,
    Operation,
    RefusedOperationError,
    signed_for,
)
from local.aws.wsgi import Environ
from local.blueprint import ACCOUNT_ID, REGION

_ARN = f"arn:aws:xray:{REGION}:{ACCOUNT_ID}:sampling-rule"
_PATHS = {
    "/CreateSamplingRule": "CreateSamplingRule",
    "/GetSamplingRules": "GetSamplingRules",
    "/UpdateSamplingRule": "UpdateSamplingRule",
    "/DeleteSamplingRule": "DeleteSamplingRule",
    "/SamplingTargets": "GetSamplingTargets",
}


class XRaySampling(JsonApi):
    """Stores the rules but does not apply them: the local estate samples every trace."""

    def __init__(self) -> None:
        super().__init__()
        self._tags: dict[str, list[Item]] = {}
        self.rules: dict[str, Item] = {}

    def operation_name(self, environ: Environ) -> str | None:
        # Several AWS APIs use this path; the request's signature names the one that is called.
        if environ["PATH_INFO"] == "/ListTagsForResource" and signed_for(environ) == "xray":
            return "ListTagsForResource"
        return _PATHS.get(environ["PATH_INFO"])

    def operation(self, name: str) -> Operation | None:
        return {
            "CreateSamplingRule": self._create,
            "GetSamplingRules": lambda _: {"SamplingRuleRecords": list(self.rules.values())},
            "GetSamplingTargets": lambda _: {"SamplingTargetDocuments": []},
            "UpdateSamplingRule": self._update,
            "DeleteSamplingRule": self._delete,
            "ListTagsForResource": lambda body: {"Tags": self._tags.get(body["ResourceARN"], [])},
        }.get(name)

    def _create(self, body: Item) -> Item:
        rule = {"Attributes": {}, **body["SamplingRule"]}
        rule["RuleARN"] = arn = f"{_ARN}/{rule['RuleName']}"
        self._tags[arn] = body.get("Tags", [])
        self.rules[arn] = {"SamplingRule": rule, "CreatedAt": CREATED_AT, "ModifiedAt": CREATED_AT}
        return {"SamplingRuleRecord": self.rules[arn]}

    def _update(self, body: Item) -> Item:
        record = self.rules[self._existing_arn(body["SamplingRuleUpdate"])]
        record["SamplingRule"] |= body["SamplingRuleUpdate"]
        return {"SamplingRuleRecord": record}

    def _delete(self, body: Item) -> Item:
        return {"SamplingRuleRecord": self.rules.pop(self._existing_arn(body))}

    def _existing_arn(self, body: Item) -> str:
        arn = str(body.get("RuleARN") or f"{_ARN}/{body.get('RuleName')}")
        if arn not in self.rules:
            raise RefusedOperationError("InvalidRequestException", f"{arn} does not exist")
        return arn
