# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "on_app_runner" {
  command = plan

  assert {
    condition     = aws_api_gateway_integration.proxy["runner"].type == "HTTP_PROXY" && aws_api_gateway_integration.proxy["runner"].uri == "https://mocked.us-east-1.awsapprunner.com/{proxy}"
    error_message = "The gateway strips the prefix and calls App Runner."
  }

  assert {
    condition     = aws_api_gateway_integration.proxy["runner"].request_parameters["integration.request.header.x-origin-verify"] == "stageVariables.originVerify" && contains(keys(aws_api_gateway_stage.main.variables), "originVerify")
    error_message = "The gateway sends the origin secret."
  }

  assert {
    condition     = aws_apprunner_service.runner[0].source_configuration[0].image_repository[0].image_configuration[0].runtime_environment_variables["ORIGIN_CHECK"] == "true"
    error_message = "The runner checks the origin secret."
  }

  assert {
    condition     = aws_apprunner_service.runner[0].source_configuration[0].image_repository[0].image_configuration[0].runtime_environment_variables["AWS_REGION"] == "us-east-1" && aws_apprunner_service.runner[0].source_configuration[0].image_repository[0].image_configuration[0].runtime_environment_variables["OTLP_ENDPOINT"] == "http://localhost:4317"
    error_message = "The runner gets the region, which App Runner does not set, and the collector's port 4317."
  }

  assert {
    condition     = length(module.runner) == 0 && aws_apprunner_service.runner[0].health_check_configuration[0].path == "/health"
    error_message = "There is one runner, and /health is its health check."
  }
}

run "on_lambda" {
  command = plan

  variables {
    runner_platform = "lambda"
    runner_image    = null
  }

  assert {
    condition     = length(aws_apprunner_service.runner) + length(aws_secretsmanager_secret.runner_origin) == 0 && output.functions.runner.name == "fin-advisor-dev-runner"
    error_message = "An account without App Runner runs the runner as a function, without a public URL or its secret."
  }

  assert {
    condition     = aws_api_gateway_integration.proxy["runner"].type == "AWS_PROXY" && length(aws_api_gateway_stage.main.variables) == 0
    error_message = "The gateway calls the function."
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.function_errors), "runner")
    error_message = "The function has the same alarms as the others."
  }
}
