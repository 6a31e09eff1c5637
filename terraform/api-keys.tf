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
  unknown_clients = setsubtract(
    keys(var.service_api_keys), concat(keys(local.declared_keys), keys(local.declared_clients))
  )
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

# --- Scopes of keys ------------------------------------------------------------------------------------------------

# A service refuses a key that lacks the scope of the operation. The gateway passes on the id of the key; this parameter
# says which name an id belongs to, and KEY_SCOPES which scopes a name has.

locals {
  # Each key's scopes by service: what a service calls, or what services.json gives to a client.
  key_scopes = merge({ for name, service in local.declared : name => service.calls if service.key }, local.declared_clients)

  access_environment = {
    for service in local.services : service => {
      KEY_SCOPES = jsonencode({
        operations = try(local.declared[service].access, {})
        keys       = { for name, scopes in local.key_scopes : name => scopes[service] if try(length(scopes[service]), 0) > 0 }

        # Sorted, as jsonencode writes a set.
        forwards_identity = toset([for name, declared in local.declared : name if try(declared.forwards_identity, false)])
      })
    }
  }

  key_ids_parameter     = "${local.parameter_path}/api-key-ids"
  key_ids_parameter_arn = "arn:${local.partition}:ssm:${var.aws_region}:${local.account_id}:parameter${local.key_ids_parameter}"

  # A statement for the policy of each service.
  read_key_ids = {
    Sid      = "ReadKeyIds"
    Effect   = "Allow"
    Action   = ["ssm:GetParameter"]
    Resource = local.key_ids_parameter_arn
  }
}

# The rotation adds the ids of its keys to the parameter. They are read (in serving.tf) and kept: so Terraform adds the key of
# a new client without removing what the rotation wrote. At the first plan there are none.
locals {
  stored_key_ids = try({ for name, ids in jsondecode(local.remembered[local.key_ids_parameter]) : name => tolist(ids) }, {})
}

resource "aws_ssm_parameter" "key_ids" {
  count = var.enable_service_api_keys ? 1 : 0

  name        = local.key_ids_parameter
  description = "Ids of the API keys of ${local.prefix} by the keys' names; the rotation adds and removes ids"
  type        = "String"

  # Not a secret: the gateway's access log contains the ids as well.
  insecure_value = jsonencode({
    for name, key in aws_api_gateway_api_key.main :
    name => distinct(concat([key.id], try(local.stored_key_ids[name], [])))
  })

  lifecycle {
    precondition {
      condition     = length(local.unknown_clients) == 0
      error_message = "service_api_keys has a key ${join(", ", local.unknown_clients)}, which is neither a service nor a client in services.json: declare its scopes there, in \"$clients\"."
    }
  }
}
