"""What IAM checks for a call: actions on resources, by the Service Authorization Reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.aws.iam.calls import Call
from local.blueprint import ACCOUNT_ID

type Parameters = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """An authorization that IAM checks: an action on a resource, in a context."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict, hash=False)


# Operations whose actions have other names. Source: the Service Authorization Reference.
_ACTIONS: Final = {
    "bedrock-runtime:InvokeModel": ["bedrock:InvokeModel"],
    "bedrock-runtime:InvokeModelWithResponseStream": ["bedrock:InvokeModelWithResponseStream"],
    # IAM authorises Converse as InvokeModel.
    "bedrock-runtime:Converse": ["bedrock:InvokeModel"],
    "bedrock-runtime:ConverseStream": ["bedrock:InvokeModelWithResponseStream"],
    "s3:HeadBucket": ["s3:ListBucket"],
    "s3:ListObjects": ["s3:ListBucket"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
    "s3:HeadObject": ["s3:GetObject"],
    "s3:DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "s3:GetBucketAccelerateConfiguration": ["s3:GetAccelerateConfiguration"],
    "s3:GetBucketCors": ["s3:GetBucketCORS"],
    "s3:GetBucketEncryption": ["s3:GetEncryptionConfiguration"],
    "s3:GetBucketLifecycleConfiguration": ["s3:GetLifecycleConfiguration"],
    "s3:GetBucketReplication": ["s3:GetReplicationConfiguration"],
    "s3:GetObjectLockConfiguration": ["s3:GetBucketObjectLockConfiguration"],
    "s3:GetPublicAccessBlock": ["s3:GetBucketPublicAccessBlock"],
    "s3:PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "s3:DeletePublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "s3:PutBucketEncryption": ["s3:PutEncryptionConfiguration"],
    "s3:DeleteBucketEncryption": ["s3:PutEncryptionConfiguration"],
    "s3:PutBucketLifecycleConfiguration": ["s3:PutLifecycleConfiguration"],
    "s3:DeleteBucketCors": ["s3:PutBucketCORS"],
    "s3:DeleteBucketLifecycle": ["s3:PutLifecycleConfiguration"],
    "s3:DeleteBucketOwnershipControls": ["s3:PutBucketOwnershipControls"],
    "s3:DeleteBucketTagging": ["s3:PutBucketTagging"],
    "logs:ListTagsLogGroup": ["logs:ListTagsLogGroup"],
    "sns:CreateTopic": ["sns:CreateTopic", "sns:TagResource"],
    "secretsmanager:CreateSecret": ["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
    "iam:CreatePolicy": ["iam:CreatePolicy", "iam:TagPolicy"],
    "lambda:CreateFunction": ["lambda:CreateFunction", "lambda:TagResource"],
    "logs:CreateLogGroup": ["logs:CreateLogGroup", "logs:TagResource"],
    "cloudwatch:PutMetricAlarm": ["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"],
    "dynamodb:CreateTable": ["dynamodb:CreateTable", "dynamodb:TagResource"],
    "xray:CreateSamplingRule": ["xray:CreateSamplingRule", "xray:TagResource"],
    "scheduler:CreateScheduleGroup": ["scheduler:CreateScheduleGroup", "scheduler:TagResource"],
    "apprunner:CreateService": ["apprunner:CreateService", "apprunner:TagResource"],
    "budgets:CreateBudget": ["budgets:ModifyBudget", "budgets:TagResource"],
    "budgets:CreateNotification": ["budgets:ModifyBudget"],
    "budgets:DescribeBudget": ["budgets:ViewBudget"],
    "budgets:DescribeNotificationsForBudget": ["budgets:ViewBudget"],
    "budgets:DescribeSubscribersForNotification": ["budgets:ViewBudget"],
    "budgets:DeleteBudget": ["budgets:ModifyBudget"],
    "budgets:DeleteNotification": ["budgets:ModifyBudget"],
}

# With a filter or with metadata, QueryVectors reads vectors as well. Source: its API reference.
_QUERY_READS: Final = {"filter", "returnMetadata"}

# Operations that need no permission.
_WITHOUT_PERMISSION: Final = {"sts:GetCallerIdentity"}


def checks_of(call: Call, region: str) -> list[Check]:
    """Return what IAM checks for a call: its actions, each on the call's resource."""
    name = f"{call.service}:{call.operation}"
    if name in _WITHOUT_PERMISSION:
        return []
    if name == "dynamodb:TransactWriteItems":
        return _transaction(call, region)
    if call.service == "apigateway":
        actions = [f"apigateway:{call.method}"]
    else:
        actions = _ACTIONS.get(name, [name])
    if name == "s3:DeleteObjects" and not call.parameters.get("versions"):
        actions = ["s3:DeleteObject"]
    if name in {"s3:GetObject", "s3:HeadObject"} and "versionId" in call.parameters:
        actions = ["s3:GetObjectVersion"]
    if name == "s3vectors:QueryVectors" and _QUERY_READS & call.parameters.keys():
        actions = [name, "s3vectors:GetVectors"]
    if name == "ssm:PutParameter" and call.parameters.get("Tags"):
        actions = [name, "ssm:AddTagsToResource"]
    resources = _resources(call, region)
    context = _context(call)
    found = [Check(action, resource, context) for action in actions for resource in resources]
    return [*found, *_passed_roles(call)]


def _context(call: Call) -> dict[str, str]:
    context = {}
    if call.operation in {"AttachRolePolicy", "DetachRolePolicy"}:
        context["iam:PolicyARN"] = call.parameters["PolicyArn"]
    if call.service == "s3" and "prefix" in call.parameters:
        context["s3:prefix"] = call.parameters["prefix"]
    return context


def _passed_roles(call: Call) -> list[Check]:
    """Return a check of iam:PassRole for each role that the call passes to a service."""
    passed: list[tuple[str, str]] = []
    parameters = call.parameters
    if call.service == "lambda" and parameters.get("Role"):
        passed.append((parameters["Role"], "lambda.amazonaws.com"))
    if call.service == "scheduler" and isinstance(parameters.get("Target"), dict):
        passed.append((parameters["Target"]["RoleArn"], "scheduler.amazonaws.com"))
    if call.service == "apprunner":
        source = parameters.get("SourceConfiguration", {}).get("AuthenticationConfiguration", {})
        instance = parameters.get("InstanceConfiguration", {})
        if role := source.get("AccessRoleArn"):
            passed.append((role, "build.apprunner.amazonaws.com"))
        if role := instance.get("InstanceRoleArn"):
            passed.append((role, "tasks.apprunner.amazonaws.com"))
    return [Check("iam:PassRole", role, {"iam:PassedToService": to}) for role, to in passed]


def _resources(call: Call, region: str) -> list[str]:  # noqa: PLR0911, PLR0912 - one case a service
    parameters, service = call.parameters, call.service
    arn = f"arn:aws:{service}:{region}:{ACCOUNT_ID}"
    given = _given_arn(parameters)
    match service:
        case "s3":
            bucket = f"arn:aws:s3:::{parameters.get('Bucket', '*')}"
            if "Keys" in parameters:
                return [f"{bucket}/{key}" for key in parameters["Keys"]]
            return [f"{bucket}/{parameters['Key']}" if "Key" in parameters else bucket]
        case "apigateway":
            return [f"arn:aws:apigateway:{region}::{call.path}"]
        case "lambda":
            name = str(parameters.get("FunctionName") or given or parameters.get("Resource", "*"))
            name = name if name.startswith("arn:") else f"{arn}:function:{name}"
            return [":".join(name.split(":")[:7])]
        case "logs":
            if "resourceArn" in parameters:
                return [str(parameters["resourceArn"])]
            group = parameters.get("logGroupName") or parameters.get("logGroupIdentifier")
            if group is None:
                return [f"{arn}:log-group:any"]
            return [f"{arn}:log-group:{group}"]
        case "iam":
            return [_iam_arn(parameters)]
        case "secretsmanager":
            if call.operation == "GetRandomPassword":
                return ["*"]
            secret = str(parameters.get("SecretId") or f"{arn}:secret:{parameters['Name']}-abcdef")
            return [secret if secret.startswith("arn:") else f"{arn}:secret:{secret}-abcdef"]
        case "cloudwatch":
            if "Dashboard" in call.operation:
                board = parameters.get("DashboardName") or parameters["DashboardNames.member.1"]
                return [f"arn:aws:cloudwatch::{ACCOUNT_ID}:dashboard/{board}"]
            alarm = parameters.get("AlarmName") or parameters.get("AlarmNames.member.1")
            return [given or f"{arn}:alarm:{alarm}"]
        case "xray":
            if call.operation == "GetSamplingRules":
                return ["*"]
            rule = parameters.get("SamplingRule") or parameters.get("SamplingRuleUpdate") or {}
            return [
                given or f"{arn}:sampling-rule/{rule.get('RuleName', parameters.get('RuleName'))}"
            ]
        case "apprunner":
            return [given or _app_runner_arn(arn, call)]
        case "scheduler":
            if given:
                return [given]
            if "ScheduleGroup" in call.operation:
                return [f"{arn}:schedule-group/{parameters['Name']}"]
            group = parameters.get("GroupName") or parameters.get("groupName", "default")
            return [f"{arn}:schedule/{group}/{parameters['Name']}"]
        case "sns":
            return [given or f"{arn}:{parameters.get('Name', '*')}"]
        case "budgets":
            if given:
                return [given]
            budget = parameters.get("BudgetName") or parameters["Budget"]["BudgetName"]
            return [f"arn:aws:budgets::{ACCOUNT_ID}:budget/{budget}"]
        case "bedrock-runtime":
            return _model_arns(str(parameters["modelId"]), region)
        case "dynamodb":
            if isinstance(parameters.get("RequestItems"), dict):  # of a batch, by table
                return [f"{arn}:table/{name}" for name in parameters["RequestItems"]]
            return [given or f"{arn}:table/{parameters.get('TableName', '*')}"]
        case "s3vectors":
            return [_vectors_arn(arn, parameters)]
        case "ssm":
            if call.operation == "DescribeParameters":
                return ["*"]
            name = next(
                parameters[key] for key in ("Name", "Path", "ResourceId") if key in parameters
            )
            return [f"{arn}:parameter{name}"]
        case "cloudformation":
            return [f"{arn}:stack/{parameters.get('StackName')}/any"]
    return [given or "*"]


def _vectors_arn(arn: str, parameters: Parameters) -> str:
    """Return the ARN of a vector index or bucket, which a call names by its ARN or its name."""
    if "indexArn" in parameters:
        return str(parameters["indexArn"])
    named = f"{arn}:bucket/{parameters.get('vectorBucketName', '*')}"
    bucket = str(parameters.get("vectorBucketArn", named))
    return f"{bucket}/index/{parameters['indexName']}" if "indexName" in parameters else bucket


def _transaction(call: Call, region: str) -> list[Check]:
    """Return the checks of the writes in a transaction, which needs no permission of its own."""
    arn = f"arn:aws:dynamodb:{region}:{ACCOUNT_ID}:table"
    actions = {"ConditionCheck": "ConditionCheckItem"}
    return [
        Check(f"dynamodb:{actions.get(kind, f'{kind}Item')}", f"{arn}/{write['TableName']}")
        for item in call.parameters.get("TransactItems", [])
        for kind, write in item.items()
    ]


# An inference profile is named by a group of regions and the model that it routes to.
_PROFILE_GROUPS: Final = {"us", "eu", "apac", "jp", "au", "us-gov", "global"}


def _model_arns(model: str, region: str) -> list[str]:
    """Return the resources of a model: of a profile, its own and the model in the region."""
    if model.startswith("arn:"):
        return [model]
    group, _, routed = model.partition(".")
    foundation = f"arn:aws:bedrock:{region}::foundation-model"
    if group not in _PROFILE_GROUPS:
        return [f"{foundation}/{model}"]
    profile = f"arn:aws:bedrock:{region}:{ACCOUNT_ID}:inference-profile/{model}"
    return [profile, f"{foundation}/{routed}"]


def _given_arn(parameters: Parameters) -> str:
    """Return the ARN of the call's resource among the parameters, or an empty string."""
    for key in (
        "ResourceArn", "ResourceARN", "resourceArn", "TopicArn", "ServiceArn", "RuleARN",
        "AutoScalingConfigurationArn", "ObservabilityConfigurationArn", "VpcConnectorArn",
        "SubscriptionArn",
    ):  # fmt: skip
        value = parameters.get(key)
        if key == "AutoScalingConfigurationArn" and "ServiceName" in parameters:
            continue  # The ARN of the service's configuration, not of the service.
        if isinstance(value, str) and value.startswith("arn:"):
            return value
    return ""


def _iam_arn(parameters: Parameters) -> str:
    root = f"arn:aws:iam::{ACCOUNT_ID}"
    if "RoleName" in parameters:
        return f"{root}:role{parameters.get('Path', '/')}{parameters['RoleName']}"
    if "PolicyArn" in parameters:
        return str(parameters["PolicyArn"])
    if "PolicyName" in parameters:
        return f"{root}:policy{parameters.get('Path', '/')}{parameters['PolicyName']}"
    return "*"


def _app_runner_arn(arn: str, call: Call) -> str:
    for key, kind in (
        ("ServiceName", "service"),
        ("AutoScalingConfigurationName", "autoscalingconfiguration"),
        ("ObservabilityConfigurationName", "observabilityconfiguration"),
        ("VpcConnectorName", "vpcconnector"),
    ):
        if key in call.parameters:
            return f"{arn}:{kind}/{call.parameters[key]}/1/any"
    return "*"
