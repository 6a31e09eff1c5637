# Offline: `terraform init -backend=false && terraform test` in the module's folder.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/fin-advisor-dev-lambda-api" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/fin-advisor-dev-api" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/fin-advisor/dev/telemetry" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:fin-advisor-dev-api"
      invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/unqualified/invocations"
      version    = "7"
    }
  }

  mock_resource "aws_lambda_alias" {
    defaults = {
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:fin-advisor-dev-api:live"
      invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/live/invocations"
    }
  }
}

variables {
  name        = "fin-advisor-dev-api"
  role_name   = "fin-advisor-dev-lambda-api"
  package     = "./terraform.tf" # Any file that exists.
  environment = { SERVICE_NAME = "api" }

  settings = {
    policy_path        = "/fin-advisor/dev/"
    architecture       = "arm64"
    layers             = ["arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"]
    xray               = true
    log_retention_days = 7
  }
}

run "a_function_has_what_its_settings_say" {
  command = plan

  assert {
    condition     = aws_lambda_function.main.memory_size == 512 && aws_lambda_function.main.timeout == 30 && aws_lambda_function.main.reserved_concurrent_executions == -1
    error_message = "By default a function has 512 MB, 30 s and no reserved concurrency."
  }

  assert {
    condition     = aws_lambda_function.main.runtime == "python3.13" && aws_lambda_function.main.handler == "lambda_function.handler" && aws_lambda_function.main.architectures == tolist(["arm64"]) && aws_lambda_function.main.publish
    error_message = "The function runs on Python 3.13 and the chosen architecture, and publishes a version at each change."
  }

  assert {
    condition     = aws_lambda_function.main.layers == tolist(var.settings.layers) && aws_lambda_function.main.tracing_config[0].mode == "Active"
    error_message = "A traced function has its layers and X-Ray's mode Active."
  }

  assert {
    condition     = aws_lambda_function.main.environment[0].variables == tomap({ SERVICE_NAME = "api" }) && aws_lambda_function.main.role == "arn:aws:iam::123456789012:role/fin-advisor-dev-lambda-api"
    error_message = "The function has its variables and its role."
  }

  assert {
    condition     = length(aws_lambda_function.main.vpc_config) == 0
    error_message = "Without a network in its settings, the function runs outside of a VPC."
  }

  assert {
    condition     = aws_cloudwatch_log_group.main.name == "/aws/lambda/fin-advisor-dev-api" && aws_cloudwatch_log_group.main.retention_in_days == 7
    error_message = "The function's log group has a retention."
  }
}

run "callers_use_the_alias" {
  command = plan

  assert {
    condition     = aws_lambda_alias.live.name == "live" && aws_lambda_alias.live.function_name == "fin-advisor-dev-api" && aws_lambda_alias.live.function_version == "7"
    error_message = "The alias serves the version published last."
  }

  assert {
    condition     = output.alias_invoke_arn == aws_lambda_alias.live.invoke_arn && output.alias_arn == aws_lambda_alias.live.arn && output.alias_name == "live" && output.function_name == "fin-advisor-dev-api"
    error_message = "The outputs for callers are those of the alias."
  }

  assert {
    condition     = output.live_version == "7" && output.newest_version == "7" && output.log_group_name == "/aws/lambda/fin-advisor-dev-api" && output.role_name == "fin-advisor-dev-lambda-api"
    error_message = "The outputs name versions, log group and role."
  }
}

run "a_rollback_serves_an_older_version" {
  command = plan

  variables {
    live_version = "3"
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "3" && output.newest_version == "7"
    error_message = "The alias serves the version that live_version names."
  }
}

run "a_function_writes_its_own_log_and_traces" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_policy.telemetry.policy).Statement == [
      { Sid = "WriteOwnLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/fin-advisor-dev-api:log-stream:*" },
      { Sid = "WriteTraces", Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource = "*" },
    ]
    error_message = "The policy allows the function's own log and traces, and nothing else."
  }

  assert {
    condition     = aws_iam_policy.telemetry.path == "/fin-advisor/dev/" && aws_iam_role_policy_attachment.telemetry.role == "fin-advisor-dev-lambda-api" && aws_iam_role_policy_attachment.telemetry.policy_arn == aws_iam_policy.telemetry.arn
    error_message = "The policy is under the environment's path, and attached to the function's role."
  }
}

run "an_untraced_function_in_a_network" {
  command = plan

  variables {
    reserved_concurrency = 20
    memory_mb            = 1024
    timeout_seconds      = 300

    settings = {
      policy_path        = "/fin-advisor/dev/"
      architecture       = "x86_64"
      layers             = []
      xray               = false
      log_retention_days = 30
      vpc                = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    }
  }

  assert {
    condition     = aws_lambda_function.main.vpc_config[0].subnet_ids == toset(["subnet-1"]) && aws_lambda_function.main.vpc_config[0].security_group_ids == toset(["sg-1"])
    error_message = "The function is in the subnets and security groups."
  }

  assert {
    condition     = aws_lambda_function.main.tracing_config[0].mode == "PassThrough" && length(aws_lambda_function.main.layers) == 0 && aws_lambda_function.main.reserved_concurrent_executions == 20 && aws_lambda_function.main.memory_size == 1024 && aws_lambda_function.main.timeout == 300
    error_message = "The function has no layer, no tracing, and the sizes that were asked for."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.telemetry.policy).Statement : statement.Sid] == ["WriteOwnLog", "AttachToNetwork"]
    error_message = "The policy allows the network, and no traces."
  }
}

run "wrong_values_are_each_refused" {
  command = plan

  expect_failures = [var.name, var.environment, var.memory_mb, var.timeout_seconds, var.live_version]

  variables {
    name            = "Fin_Advisor"
    environment     = { AWS_REGION = "us-east-1" }
    memory_mb       = 64
    timeout_seconds = 901
    live_version    = "latest"
  }
}

run "a_missing_package_is_refused" {
  command         = plan
  expect_failures = [var.package]

  variables {
    package = "nowhere.zip"
  }
}
