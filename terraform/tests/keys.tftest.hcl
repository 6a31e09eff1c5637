# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "keys_on" {
  command = plan

  assert {
    condition     = output.api_key_secrets == { for name in concat(keys(local.declared_keys), ["client", "ingest"]) : name => "fin-advisor/dev/${name}/api-key" }
    error_message = "Each key has a secret that is named after it."
  }

  assert {
    condition     = aws_api_gateway_usage_plan.main["s3vector"].quota_settings[0].limit == 50000 && aws_api_gateway_usage_plan.main["s3vector"].quota_settings[0].period == "MONTH"
    error_message = "A usage plan has its key's quota."
  }

  assert {
    condition     = length(aws_api_gateway_usage_plan_key.main) == length(local.api_keys) && length(module.rotation) == 1 && output.rotation_function_arn != null
    error_message = "Each key is attached to its plan, and can be rotated."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.quota) == length(local.api_keys) && length(aws_scheduler_schedule.publish_quota) == 1
    error_message = "The remaining quota of each key is published and has an alarm."
  }

  assert {
    condition     = contains(aws_secretsmanager_secret_version.api_key["api"].version_stages, "TERRAFORM")
    error_message = "The first version keeps a label: without one, Terraform would write it again after two rotations."
  }
}

run "key_ids" {
  command = plan

  assert {
    condition = jsondecode(aws_ssm_parameter.key_ids[0].insecure_value) == {
      for name, key in aws_api_gateway_api_key.main : name => [key.id]
    }
    error_message = "The parameter has the id of each key under the key's name."
  }

  assert {
    condition     = jsondecode(local.access_environment["s3vector"].KEY_SCOPES).keys.chat == ["query"] && !contains(keys(jsondecode(local.access_environment["s3vector"].KEY_SCOPES).keys), "client")
    error_message = "A service knows the scopes of the keys that call it, and of no other."
  }
}

run "key_ids_after_a_rotation" {
  command = plan

  override_data {
    target = data.aws_ssm_parameters_by_path.main
    values = {
      names  = ["/fin-advisor/dev/api-key-ids"]
      values = ["{\"client\":[\"key01\",\"key02\"]}"]
    }
  }

  assert {
    condition     = jsondecode(aws_ssm_parameter.key_ids[0].insecure_value).client == ["key01", "key02"] && jsondecode(aws_ssm_parameter.key_ids[0].insecure_value).chat == ["key01"]
    error_message = "Terraform keeps the ids that the rotation added, and adds its own."
  }
}

run "an_unknown_client" {
  command = plan

  variables {
    service_api_keys = { stranger = { quota_limit = 1 } }
  }

  expect_failures = [aws_ssm_parameter.key_ids]
}

run "another_quota" {
  command = plan

  variables {
    service_api_keys = {
      client   = { quota_limit = 10000 }
      s3vector = { quota_limit = 7, quota_period = "DAY", description = "Of this environment" }
    }
  }

  assert {
    condition     = aws_api_gateway_usage_plan.main["s3vector"].quota_settings[0].limit == 7 && aws_api_gateway_usage_plan.main["s3vector"].quota_settings[0].period == "DAY" && aws_api_gateway_api_key.main["s3vector"].description == "Of this environment"
    error_message = "An environment's quota replaces the declared one."
  }

  assert {
    condition     = aws_api_gateway_usage_plan.main["api"].quota_settings[0].limit == local.declared.api.quota.limit && aws_api_gateway_usage_plan.main["client"].quota_settings[0].period == "MONTH" && aws_api_gateway_api_key.main["client"].description == "API key of client"
    error_message = "Other services keep theirs, and a client needs a limit only."
  }
}

run "no_variable" {
  command = plan

  variables {
    service_api_keys = {}
  }

  assert {
    condition     = toset(keys(output.api_key_secrets)) == toset([for name, service in local.declared : name if service.key])
    error_message = "Every declared service has a key without a line in an environment's file."
  }
}

run "keys_off" {
  command = plan

  variables {
    enable_service_api_keys = false
    service_api_keys        = {}
  }

  assert {
    condition     = length(aws_ssm_parameter.key_ids) + length(aws_api_gateway_api_key.main) + length(aws_secretsmanager_secret.api_key) + length(module.rotation) + length(aws_scheduler_schedule.publish_quota) == 0
    error_message = "If keys are disabled, there is no rotation, no alarm of quotas and no list of ids."
  }

  assert {
    condition     = alltrue([for method in values(aws_api_gateway_method.proxy) : !method.api_key_required])
    error_message = "If keys are disabled, no method requires one."
  }
}
