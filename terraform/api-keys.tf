# A key, a quota and a secret for each name in service_api_keys. A service reads its own from its secret.

locals {
  api_keys = var.enable_service_api_keys ? var.service_api_keys : {}
}

resource "aws_api_gateway_api_key" "main" {
  for_each = local.api_keys

  name        = "${local.prefix}-${each.key}"
  description = each.value.description
  tags        = { Service = each.key }

  lifecycle {
    ignore_changes = [enabled] # Two rotations later, the rotation disables this key. It never deletes it.
  }
}

resource "aws_api_gateway_usage_plan" "main" {
  for_each = local.api_keys

  name        = "${local.prefix}-${each.key}"
  description = each.value.description

  api_stages {
    api_id = aws_api_gateway_rest_api.main.id
    stage  = aws_api_gateway_stage.main.stage_name
  }

  quota_settings {
    limit  = each.value.quota_limit
    period = each.value.quota_period
  }

  throttle_settings {
    rate_limit  = each.value.rate_limit
    burst_limit = each.value.burst_limit
  }

  lifecycle {
    # A new stage takes its usage plans' place with it: without this they would be left attached to nothing.
    replace_triggered_by = [aws_api_gateway_stage.main.id]
  }
}

resource "aws_api_gateway_usage_plan_key" "main" {
  for_each = local.api_keys

  key_id        = aws_api_gateway_api_key.main[each.key].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.main[each.key].id
}

resource "aws_secretsmanager_secret" "api_key" {
  for_each = local.api_keys

  name                    = "${var.project_name}/${var.environment}/${each.key}/api-key"
  description             = "API key of ${each.key} in ${local.prefix}"
  recovery_window_in_days = var.secret_recovery_days
  tags                    = { Service = each.key }
}

resource "aws_secretsmanager_secret_version" "api_key" {
  for_each = local.api_keys

  secret_id     = aws_secretsmanager_secret.api_key[each.key].id
  secret_string = aws_api_gateway_api_key.main[each.key].value

  # A label of its own keeps this version from being dropped once two rotations have passed: Terraform would write it
  # again, and so make an old key the current one.
  version_stages = ["AWSCURRENT", "TERRAFORM"]

  lifecycle {
    ignore_changes = [secret_string, version_stages] # The rotation's to change.
  }
}
