# A plan of dev, after newcomer was added. Each assertion is a place that a new service could be missing from.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  package_dir  = "tests/packages"
  runner_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a/runner@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "newcomer" {
  command = plan

  assert {
    condition     = module.newcomer.function_name == "fin-advisor-dev-newcomer" && output.functions.newcomer.alias == "live"
    error_message = "function"
  }

  assert {
    condition     = aws_api_gateway_resource.service["newcomer"].path_part == "newcomer" && aws_api_gateway_integration.proxy["newcomer"].type == "AWS_PROXY" && aws_lambda_permission.gateway["newcomer"].qualifier == "live"
    error_message = "route"
  }

  assert {
    condition     = output.api_key_secrets.newcomer == "fin-advisor/dev/newcomer/api-key" && aws_api_gateway_usage_plan.main["newcomer"].quota_settings[0].limit == 100000
    error_message = "key"
  }

  assert {
    condition     = endswith(one([for statement in jsondecode(aws_iam_policy.lambda_newcomer_secrets.policy).Statement : statement.Resource if statement.Sid == "ReadOwnKey"]), ":secret:fin-advisor/dev/newcomer/api-key-*")
    error_message = "permission"
  }

  assert {
    condition = alltrue([
      for alarms in [aws_cloudwatch_metric_alarm.function_errors, aws_cloudwatch_metric_alarm.function_throttles, aws_cloudwatch_metric_alarm.quota] :
      contains(keys(alarms), "newcomer")
    ])
    error_message = "alarms"
  }

  assert {
    condition     = length([for row in local.dashboard_rows : row if strcontains(jsonencode(row.metrics), "newcomer")]) >= 8
    error_message = "rows of the dashboard"
  }
}
