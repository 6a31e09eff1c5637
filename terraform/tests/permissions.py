"""Permissions of the deploy role that a recording of requests cannot show, with their sources."""

import re
from dataclasses import dataclass
from typing import Final

from local.aws.iam.checks import Check

_ACCOUNT: Final = "123456789012"
_ROLES: Final = f"arn:aws:iam::{_ACCOUNT}:role"


@dataclass(frozen=True)
class Needed:
    """A permission that AWS requires and an emulator does not check, and its source."""

    check: Check
    source: str


NEVER_RECORDED: Final = (
    Needed(
        Check(
            "iam:CreateServiceLinkedRole",
            f"{_ROLES}/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway",
            {"iam:AWSServiceName": "ops.apigateway.amazonaws.com"},
        ),
        "API Gateway Developer Guide, Service-linked roles: created with the first domain name",
    ),
    Needed(
        Check(
            "iam:CreateServiceLinkedRole",
            f"{_ROLES}/aws-service-role/apprunner.amazonaws.com/AWSServiceRoleForAppRunner",
            {"iam:AWSServiceName": "apprunner.amazonaws.com"},
        ),
        "App Runner Developer Guide, Using roles for App Runner: created with the first service",
    ),
    Needed(
        Check(
            "iam:CreateServiceLinkedRole",
            f"{_ROLES}/aws-service-role/networking.apprunner.amazonaws.com/"
            "AWSServiceRoleForAppRunnerNetworking",
            {"iam:AWSServiceName": "networking.apprunner.amazonaws.com"},
        ),
        "App Runner Developer Guide, Using roles for networking: created with the first connector",
    ),
    Needed(
        Check(
            "lambda:GetLayerVersion",
            "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1",
        ),
        "Lambda Developer Guide, Layers: configuring a function requires reading the layer",
    ),
    Needed(
        Check(
            "iam:PassRole",
            f"{_ROLES}/fin-advisor-dev-lambda-api",
            {"iam:PassedToService": "lambda.amazonaws.com"},
        ),
        "Service Authorization Reference, Lambda: CreateFunction depends on iam:PassRole",
    ),
    Needed(
        Check(
            "iam:PassRole",
            f"{_ROLES}/fin-advisor-dev-apprunner-runner",
            {"iam:PassedToService": "tasks.apprunner.amazonaws.com"},
        ),
        "Service Authorization Reference, App Runner: CreateService depends on iam:PassRole",
    ),
    Needed(
        Check(
            "iam:PassRole",
            f"{_ROLES}/fin-advisor-dev-scheduler",
            {"iam:PassedToService": "scheduler.amazonaws.com"},
        ),
        "EventBridge Scheduler User Guide, Identity-based policies: CreateSchedule needs PassRole",
    ),
    Needed(
        Check(
            "s3:PutBucketObjectLockConfiguration",
            f"arn:aws:s3:::fin-advisor-dev-records-{_ACCOUNT}-us-east-1",
        ),
        "S3 API Reference, CreateBucket: needed for a bucket with Object Lock",
    ),
    Needed(
        Check(
            "s3:BypassGovernanceRetention",
            f"arn:aws:s3:::fin-advisor-dev-records-{_ACCOUNT}-us-east-1/records/one.json",
        ),
        "S3 API Reference, DeleteObjects: the provider's force_destroy sends the bypass header",
    ),
    Needed(
        Check(
            "lambda:InvokeFunction",
            f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:fin-advisor-dev-rotation",
        ),
        "Secrets Manager User Guide, Troubleshoot rotation: enabling it invokes the function",
    ),
    Needed(
        Check(
            "secretsmanager:RotateSecret",
            f"arn:aws:secretsmanager:us-east-1:{_ACCOUNT}:secret:fin-advisor/dev/api/api-key-abcdef",
        ),
        "Service Authorization Reference, Secrets Manager; moto invokes the function instead",
    ),
)


def _explained(*entries: tuple[str, str]) -> dict[re.Pattern[str], str]:
    return {re.compile(pattern): reason for pattern, reason in entries}


# Grants ("Sid action") that the recorded deploy does not use, and what uses each of them.
UNUSED_REASONS: Final = _explained(
    (r"\w+ iam:CreateServiceLinkedRole", "NEVER_RECORDED"),
    (r"Domain\w* route53:.*", "bootstrap's variable dns_records"),
    (r"Firewall\w* (wafv2:.*|apigateway:SetWebACL)", "variable waf_acl_arn"),
    (r"GatewayTag apigateway:POST", "SDKs that send the tags of a new resource by POST"),
    (r"GatewayOtherTags apigateway:.*", "a changed or removed tag other than Environment"),
    (r"Images ecr:.*", "the pipeline pushes the image and reads its digest"),
    (r"ImageLogIn ecr:.*", "the pipeline pushes the image"),
    (r"Services apprunner:\w*VpcConnector", "variable vpc_config"),
    (r"Services apprunner:(UpdateService|ListOperations)", "a deploy of a new image"),
    (
        r"\w+ [\w-]+:(UntagResource|UntagPolicy|ListPolicyTags|RemoveTagsFromResource)",
        "a removed tag",
    ),
    (r"TryEmbeddings bedrock:InvokeModel", "requirements.md lists it: Bedrock Invocation"),
    (r"ReadModels bedrock:GetFoundationModel", "the smoke test and the drift job read life cycles"),
    (r"Budget budgets:.*", "a changed budget"),
    (r"Clock scheduler:UpdateSchedule", "a changed schedule"),
    (
        r"Topic sns:(Subscribe|Unsubscribe|GetSubscriptionAttributes|ListSubscriptionsByTopic)",
        "variable alarm_emails",
    ),
    (r"Policies iam:(Create|Delete)PolicyVersion", "a changed policy"),
    (r"Functions lambda:\w*FunctionConcurrency", "variable reserved_concurrency"),
    (r"Functions lambda:GetFunctionConfiguration", "the provider waits for VPC functions with it"),
    (r"Functions lambda:UpdateFunctionConfiguration", "a changed variable"),
    (r"Functions lambda:PublishVersion", "a changed configuration is published by itself"),
    (r"Functions lambda:ListTags", "another version of the provider reads tags with it"),
    (r"Functions lambda:ListAliases", "a promotion prunes versions that no alias names"),
    (r"Functions lambda:InvokeFunction", "the smoke test, and NEVER_RECORDED for rotation"),
    (r"Layers lambda:GetLayerVersion", "NEVER_RECORDED"),
    (r"Network ec2:Describe\w+", "variable vpc_config"),
    (r"LogGroups logs:DeleteRetentionPolicy", "a removed retention"),
    (r"LogGroups logs:ListTagsLogGroup", "another version of the provider reads tags with it"),
    (r"CanaryMetrics cloudwatch:GetMetricData", "variable canary_percent"),
    (r"ReadTraces xray:GetTraceSummaries", "the smoke test looks for its trace"),
    (r"Sampling xray:UpdateSamplingRule", "a changed trace_sample_percent"),
    (r"RecordsLock s3:PutBucketObjectLockConfiguration", "NEVER_RECORDED"),
    (r"EmptyRecords s3:BypassGovernanceRetention", "NEVER_RECORDED"),
    (r"Buckets s3:GetBucketLocation", "a bucket that exists already"),
    (r"Conversations dynamodb:UpdateContinuousBackups", "prod alone has backups"),
    (r"Conversations dynamodb:UpdateTable", "a changed deletion protection"),
    (r"VectorBuckets .*", 'vector_backend = "s3vectors"'),
    (r"Stacks .*", 'vector_backend = "s3vectors", or streaming = true'),
    (
        r"Secrets secretsmanager:(CancelRotateSecret|RotateSecret)",
        "variable key_rotation_days; NEVER_RECORDED",
    ),
    (r"Secrets secretsmanager:RestoreSecret", "a secret deleted within its recovery window"),
    (r"Secrets secretsmanager:(UpdateSecret|ListSecretVersionIds)", "a changed description"),
    (r"KeyIds ssm:RemoveTagsFromResource", "a removed tag"),
    (r"Secrets secretsmanager:UpdateSecretVersionStage", "a replaced version of the origin secret"),
)
