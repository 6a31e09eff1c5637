# api: the entry point for clients. It calls the other services through the gateway, so it needs only its own API key.

module "api" {
  source = "./modules/lambda-service"

  name                 = "${local.prefix}-api"
  role_name            = "${local.prefix}-lambda-api"
  package              = "${var.package_dir}/api.zip"
  settings             = local.lambda_settings
  memory_mb            = local.declared.api.memory_mb
  timeout_seconds      = local.function_timeouts["api"]
  reserved_concurrency = lookup(var.reserved_concurrency, "api", null)
  live_version         = lookup(local.live_versions, "api", null)

  environment = merge(local.lambda_environment, local.access_environment["api"], local.stream_environment["api"], {
    SERVICE_NAME  = "api"
    CORS_ORIGINS  = join(",", var.cors_origins)
    PEER_SERVICES = join(",", setsubtract(local.services, ["api"]))
    }, var.authorizer == null ? {} : {
    USERS_REQUIRED = "true"
    TENANT_CLAIM   = var.authorizer.tenant_claim == null ? "" : var.authorizer.tenant_claim
  })
}

resource "aws_iam_policy" "lambda_api_secrets" {
  name        = "${local.prefix}-lambda-api-secrets"
  path        = local.policy_path
  description = "api reads its own API key"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [local.read_key_ids, {
      Sid      = "ReadOwnKey"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.own_key_arns["api"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_api_secrets" {
  role       = module.api.role_name
  policy_arn = aws_iam_policy.lambda_api_secrets.arn
}

# The schedule that advances the runner's jobs. App Runner allots CPU only while a request is in flight, so a job advances
# only when it is requested to.

resource "aws_scheduler_schedule_group" "main" {
  name = local.prefix
}

data "aws_iam_role" "scheduler" {
  name = "${local.prefix}-scheduler"
}

resource "aws_iam_policy" "scheduler" {
  name        = "${local.prefix}-scheduler"
  path        = local.policy_path
  description = "Invoke the functions that run by the clock"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "InvokeByTheClock"
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = concat([module.api.alias_arn, module.records.alias_arn, module.s3vector.alias_arn], module.rotation[*].alias_arn)
    }]
  })
}

resource "aws_iam_role_policy_attachment" "scheduler" {
  role       = data.aws_iam_role.scheduler.name
  policy_arn = aws_iam_policy.scheduler.arn
}

resource "aws_scheduler_schedule" "advance_jobs" {
  name                = "${local.prefix}-advance-jobs"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = "Run slices of the runner's open jobs"
  schedule_expression = "rate(1 minute)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.api.alias_arn
    role_arn = data.aws_iam_role.scheduler.arn
    input    = jsonencode({ task = "advance-jobs" })

    # The next run, a minute later, is the retry.
    retry_policy {
      maximum_retry_attempts       = 0
      maximum_event_age_in_seconds = 60
    }
  }

  depends_on = [aws_iam_role_policy_attachment.scheduler]
}
