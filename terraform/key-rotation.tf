# The function that rotates the API keys, on a schedule or on request, and publishes their remaining quotas each hour.

module "rotation" {
  source = "./modules/lambda-service"
  count  = var.enable_service_api_keys ? 1 : 0

  name                 = "${local.prefix}-rotation"
  role_name            = "${local.prefix}-lambda-rotation"
  package              = "${var.package_dir}/rotation.zip"
  memory_mb            = local.declared.rotation.memory_mb
  timeout_seconds      = local.declared.rotation.timeout_s
  reserved_concurrency = lookup(var.reserved_concurrency, "rotation", null)
  live_version         = lookup(local.live_versions, "rotation", null)

  # No tracing: the function runs a few times a day and serves no request. No VPC: API Gateway's control plane has no VPC
  # endpoint.
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

locals {
  # API Gateway's ARNs contain no account, and a key's id is unknown until the key exists. So policies match keys by tag.
  gateway_arn = "arn:${local.partition}:apigateway:${var.aws_region}::"
  own_keys = {
    "aws:ResourceTag/Project"     = var.project_name
    "aws:ResourceTag/Environment" = var.environment
  }
  new_keys = {
    "aws:RequestTag/Project"     = var.project_name
    "aws:RequestTag/Environment" = var.environment
    "aws:RequestTag/ManagedBy"   = "rotation"
  }
}

resource "aws_iam_policy" "lambda_rotation_keys" {
  count = var.enable_service_api_keys ? 1 : 0

  name        = "${local.prefix}-lambda-rotation-keys"
  path        = local.policy_path
  description = "rotation makes, tests and retires the API keys"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "MakeKeys"
        Effect    = "Allow"
        Action    = ["apigateway:POST"]
        Resource  = "${local.gateway_arn}/apikeys"
        Condition = { StringEquals = local.new_keys }
      },
      {
        # By id: `GET /apikeys` cannot be restricted to some keys, and the ids are those in the usage plans.
        Sid       = "ReadKeys"
        Effect    = "Allow"
        Action    = ["apigateway:GET"]
        Resource  = "${local.gateway_arn}/apikeys/*"
        Condition = { StringEquals = local.own_keys }
      },
      {
        Sid    = "DisableKeys"
        Effect = "Allow"
        Action = ["apigateway:PATCH"]
        # Tagging a key is a PATCH too.
        Resource  = "${local.gateway_arn}/apikeys/*"
        Condition = { StringEquals = local.own_keys, Null = { "aws:TagKeys" = "true" } }
      },
      {
        # Only keys that the rotation made. Terraform would recreate its own key and make it the current one.
        Sid       = "DeleteOwnKeys"
        Effect    = "Allow"
        Action    = ["apigateway:DELETE"]
        Resource  = "${local.gateway_arn}/apikeys/*"
        Condition = { StringEquals = merge(local.own_keys, { "aws:ResourceTag/ManagedBy" = "rotation" }) }
      },
      {
        # A new key has no tags yet. One that has others' tags cannot be tagged as the rotation's own.
        Sid      = "TagNewKeys"
        Effect   = "Allow"
        Action   = ["apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
        Resource = ["${local.gateway_arn}/apikeys/*", "${local.gateway_arn}/tags/arn*apikeys*"] # The second is URL-encoded.
        Condition = {
          StringEquals         = local.new_keys
          StringEqualsIfExists = merge(local.own_keys, { "aws:ResourceTag/ManagedBy" = "rotation" })
        }
      },
      {
        Sid    = "UseOwnPlans"
        Effect = "Allow"
        Action = ["apigateway:GET", "apigateway:POST", "apigateway:DELETE"]
        Resource = flatten([
          for plan in aws_api_gateway_usage_plan.main :
          ["${local.gateway_arn}/usageplans/${plan.id}/keys", "${local.gateway_arn}/usageplans/${plan.id}/keys/*"]
        ])
      },
      {
        Sid    = "ReadUsage"
        Effect = "Allow"
        Action = ["apigateway:GET"]
        Resource = flatten([
          for plan in aws_api_gateway_usage_plan.main :
          ["${local.gateway_arn}/usageplans/${plan.id}", "${local.gateway_arn}/usageplans/${plan.id}/usage"]
        ])
      },
      {
        Sid      = "KeepKeyIds"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:PutParameter"]
        Resource = local.key_ids_parameter_arn
      },
      {
        Sid    = "RotateSecrets"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue",
          "secretsmanager:UpdateSecretVersionStage",
        ]
        Resource = [for secret in aws_secretsmanager_secret.api_key : secret.arn]
      },
    ]
  })
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
  rotate_immediately  = false # Otherwise the first apply rotates keys that nobody has used.

  rotation_rules {
    automatically_after_days = var.key_rotation_days
  }

  depends_on = [
    aws_iam_role_policy_attachment.lambda_rotation_keys,
    aws_lambda_permission.rotation,
    aws_secretsmanager_secret_version.api_key,
  ]
}

# API Gateway publishes no metric for quotas.
resource "aws_scheduler_schedule" "publish_quota" {
  count = var.enable_service_api_keys ? 1 : 0

  name                = "${local.prefix}-publish-quota"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = "Publish the remaining quota of each API key"
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
