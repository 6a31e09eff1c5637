# The function that rotates the API keys, on a schedule or on command, and publishes each hour what is left of the quotas.

module "rotation" {
  source = "./modules/lambda-service"
  count  = var.enable_service_api_keys ? 1 : 0

  name                 = "${local.prefix}-rotation"
  role_name            = "${local.prefix}-lambda-rotation"
  package              = "${var.package_dir}/rotation.zip"
  memory_mb            = 256
  timeout_seconds      = 60
  reserved_concurrency = lookup(var.reserved_concurrency, "rotation", null)
  live_version         = lookup(var.live_versions, "rotation", null)

  # No tracing: it runs a few times a day, behind no request. No network of its own either: API Gateway's control plane
  # has no endpoint in a VPC.
  settings = merge(local.lambda_settings, { layers = [], xray = false, vpc = null })

  environment = merge(local.common_environment, {
    SERVICE_NAME          = "rotation"
    ENABLE_TRACING        = "false"
    USAGE_PLAN_IDS        = jsonencode({ for name, plan in aws_api_gateway_usage_plan.main : name => plan.id })
    TERRAFORM_API_KEY_IDS = jsonencode({ for name, key in aws_api_gateway_api_key.main : name => key.id })
    SERVICE_PATHS = jsonencode({
      for name in keys(local.api_keys) : name => "/${contains(local.services, name) ? name : "api"}/health"
    })
  })
}

data "aws_iam_policy_document" "lambda_rotation_keys" {
  count = var.enable_service_api_keys ? 1 : 0

  statement {
    sid     = "MakeAndFindKeys"
    actions = ["apigateway:GET", "apigateway:POST"]
    # API Gateway's ARNs carry no account, and a key's id is not known before it is made.
    resources = ["arn:${local.partition}:apigateway:${var.aws_region}::/apikeys"]
  }

  statement {
    sid       = "ReadAndDisableKeys"
    actions   = ["apigateway:GET", "apigateway:PATCH"]
    resources = ["arn:${local.partition}:apigateway:${var.aws_region}::/apikeys/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.project_name]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "DeleteOwnKeys"
    actions   = ["apigateway:DELETE"]
    resources = ["arn:${local.partition}:apigateway:${var.aws_region}::/apikeys/*"]

    # Terraform would make a deleted key again.
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/ManagedBy"
      values   = ["rotation"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = [var.project_name]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "TagKeys"
    actions   = ["apigateway:POST", "apigateway:PUT"]
    resources = ["arn:${local.partition}:apigateway:${var.aws_region}::/tags/arn%3A${local.partition}%3Aapigateway%3A${var.aws_region}%3A%3A%2Fapikeys%2F*"]
  }

  statement {
    sid     = "UseOwnPlans"
    actions = ["apigateway:GET", "apigateway:POST", "apigateway:DELETE"]
    resources = flatten([
      for plan in aws_api_gateway_usage_plan.main : [
        "arn:${local.partition}:apigateway:${var.aws_region}::/usageplans/${plan.id}/keys",
        "arn:${local.partition}:apigateway:${var.aws_region}::/usageplans/${plan.id}/keys/*",
      ]
    ])
  }

  statement {
    sid     = "ReadUsage"
    actions = ["apigateway:GET"]
    resources = flatten([
      for plan in aws_api_gateway_usage_plan.main : [
        "arn:${local.partition}:apigateway:${var.aws_region}::/usageplans/${plan.id}",
        "arn:${local.partition}:apigateway:${var.aws_region}::/usageplans/${plan.id}/usage",
      ]
    ])
  }

  statement {
    sid = "RotateSecrets"
    actions = [
      "secretsmanager:DescribeSecret",
      "secretsmanager:GetSecretValue",
      "secretsmanager:PutSecretValue",
      "secretsmanager:UpdateSecretVersionStage",
    ]
    resources = [for secret in aws_secretsmanager_secret.api_key : secret.arn]
  }
}

resource "aws_iam_policy" "lambda_rotation_keys" {
  count = var.enable_service_api_keys ? 1 : 0

  name        = "${local.prefix}-lambda-rotation-keys"
  path        = local.policy_path
  description = "rotation makes, tests and retires the API keys"
  policy      = data.aws_iam_policy_document.lambda_rotation_keys[0].json
}

resource "aws_iam_role_policy_attachment" "lambda_rotation_keys" {
  count = var.enable_service_api_keys ? 1 : 0

  role       = module.rotation[0].role_name
  policy_arn = aws_iam_policy.lambda_rotation_keys[0].arn
}

resource "aws_lambda_permission" "rotation" {
  count = var.enable_service_api_keys ? 1 : 0

  statement_id   = "secrets-manager"
  action         = "lambda:InvokeFunction"
  function_name  = module.rotation[0].function_name
  qualifier      = module.rotation[0].alias_name
  principal      = "secretsmanager.amazonaws.com"
  source_account = local.account_id
}

resource "aws_secretsmanager_secret_rotation" "api_key" {
  for_each = var.key_rotation_days == null ? {} : local.api_keys

  secret_id           = aws_secretsmanager_secret.api_key[each.key].id
  rotation_lambda_arn = module.rotation[0].alias_arn
  rotate_immediately  = false # A first apply would otherwise rotate keys that nobody has used yet.

  rotation_rules {
    automatically_after_days = var.key_rotation_days
  }

  depends_on = [
    aws_iam_role_policy_attachment.lambda_rotation_keys,
    aws_lambda_permission.rotation,
    aws_secretsmanager_secret_version.api_key,
  ]
}

# API Gateway has no metric for quotas.
resource "aws_scheduler_schedule" "publish_quota" {
  count = var.enable_service_api_keys ? 1 : 0

  name                = "${local.prefix}-publish-quota"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = "Publish what is left of each key's quota"
  schedule_expression = "rate(1 hour)"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = module.rotation[0].alias_arn
    role_arn = data.aws_iam_role.scheduler.arn
    input    = jsonencode({ task = "publish-quota" })

    retry_policy {
      maximum_retry_attempts       = 1
      maximum_event_age_in_seconds = 600
    }
  }

  depends_on = [aws_iam_role_policy_attachment.scheduler]
}
