# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "off_by_default" {
  command = plan

  assert {
    condition     = length(aws_cloudformation_stack.streaming) == 0 && length(aws_api_gateway_resource.stream) == 0 && local.function_timeouts["chat"] == local.declared.chat.timeout_s
    error_message = "Without streaming there are no streaming methods, and each function has its own timeout."
  }

  assert {
    condition     = alltrue([for environment in local.stream_environment : length(environment) == 0])
    error_message = "Without streaming, AWS's client runs each function."
  }
}

run "on" {
  command = plan

  variables {
    streaming              = true
    stream_timeout_seconds = 90
  }

  assert {
    condition     = toset(keys(aws_api_gateway_resource.stream)) == toset(flatten([for service, declared in local.declared : [for operation in try(declared.streams, []) : "${service}${split(" ", operation)[1]}"]]))
    error_message = "Each operation in streams has a path of its own."
  }

  assert {
    condition = length(aws_cloudformation_stack.streaming) == 1 && alltrue([
      for method in values(local.stream_methods) :
      method.Type == "AWS::ApiGateway::Method" && method.Properties.HttpMethod == "POST" && method.Properties.ApiKeyRequired &&
      method.Properties.Integration.Type == "AWS_PROXY" && method.Properties.Integration.ResponseTransferMode == "STREAM" &&
      method.Properties.Integration.TimeoutInMillis == 90000 && endswith(method.Properties.Integration.Uri, "/response-streaming-invocations")
    ])
    error_message = "Each method streams through Lambda's streaming operation, within stream_timeout_seconds, and needs a key."
  }

  assert {
    condition     = toset([for service, seconds in local.function_timeouts : service if seconds == 90]) == local.streaming_services && local.stream_environment["chat"]["STREAM_TIMEOUT_SECONDS"] == "90"
    error_message = "The functions that stream have the time of a stream."
  }

  assert {
    condition     = local.stream_environment["api"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/shared/aws_lambda/stream_runtime.sh" && length(local.stream_environment["s3vector"]) == 0
    error_message = "Only the functions that stream run our own loop."
  }

  assert {
    condition     = alltrue([for permission in aws_lambda_permission.gateway : permission.action == "lambda:InvokeFunction"])
    error_message = "Streaming needs no other permission."
  }
}
