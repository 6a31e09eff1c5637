# An API key, a usage plan and a secret for each service and each client. Each service reads its own key from its secret.

locals {
  declared_keys = {
    for name, service in local.declared : name => {
      quota_limit  = service.quota.limit
      quota_period = service.quota.period
      description  = null
      rate_limit   = 50
      burst_limit  = 100
    } if service.key
  }
  api_keys = { for name, key in merge(local.declared_keys, var.service_api_keys) : name => key if var.enable_service_api_keys }
}

resource "aws_api_gateway_api_key" "main" {
  for_each = local.api_keys

  name        = "${local.prefix}-${each.key}"
  description = coalesce(each.value.description, "API key of ${each.key}")
  tags        = { Service = each.key }

  lifecycle {
    ignore_changes = [enabled] # The second rotation disables this key. No rotation deletes it.
  }
}

resource "aws_api_gateway_usage_plan" "main" {
  for_each = local.api_keys

  name        = "${local.prefix}-${each.key}"
  description = coalesce(each.value.description, "API key of ${each.key}")

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
    # Replacing the stage detaches its usage plans. Recreating them attaches them to the new stage.
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

  # Secrets Manager deletes a version without a label after two rotations. Terraform would then write this one again and
  # make an old key the current one. The label TERRAFORM prevents that.
  version_stages = ["AWSCURRENT", "TERRAFORM"]

  lifecycle {
    ignore_changes = [secret_string, version_stages] # The rotation function changes them.
  }
}
