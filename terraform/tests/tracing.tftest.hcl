# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "sdk" {
  command = plan

  assert {
    condition     = local.layers == ["arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1"] && !contains(keys(local.lambda_environment), "AWS_LAMBDA_EXEC_WRAPPER")
    error_message = "sdk: the collector layer and no wrapper."
  }

  assert {
    condition     = local.lambda_environment["OTLP_ENDPOINT"] == "http://localhost:4318" && local.lambda_environment["ENABLE_TRACING"] == "true" && local.lambda_settings.xray
    error_message = "sdk: HTTP to the layer's collector, X-Ray active."
  }

  assert {
    condition     = length(aws_xray_sampling_rule.main) == 3 && aws_api_gateway_stage.main.xray_tracing_enabled
    error_message = "The gateway decides which traces are sampled."
  }
}

run "sdk_on_arm_in_europe" {
  command = plan

  variables {
    architecture = "arm64"
    aws_region   = "eu-central-1"
    runner_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  assert {
    condition     = local.layers == ["arn:aws:lambda:eu-central-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"]
    error_message = "The layer matches the functions' region and architecture."
  }
}

run "auto" {
  command = plan

  variables {
    tracing_mode = "auto"
  }

  assert {
    condition     = local.layers == ["arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-python-amd64-ver-1-32-0:2"] && local.lambda_environment["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-instrument"
    error_message = "auto: the Python layer and its wrapper."
  }
}

run "udp" {
  command = plan

  variables {
    tracing_mode = "udp"
    aws_region   = "ca-west-1"
    runner_image = "123456789012.dkr.ecr.ca-west-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  assert {
    condition     = length(local.layers) == 0 && local.lambda_environment["OTLP_ENDPOINT"] == "udp://localhost:2000" && local.lambda_settings.xray
    error_message = "udp: no layer, so every region works; the X-Ray daemon receives the spans."
  }
}

run "off" {
  command = plan

  variables {
    tracing_mode = "off"
  }

  assert {
    condition     = length(local.layers) == 0 && local.lambda_environment["ENABLE_TRACING"] == "false" && !local.lambda_settings.xray
    error_message = "off: nothing is traced."
  }

  assert {
    condition     = length(aws_xray_sampling_rule.main) == 0 && !aws_api_gateway_stage.main.xray_tracing_enabled && !aws_apprunner_service.runner[0].observability_configuration[0].observability_enabled
    error_message = "off: neither the gateway nor the runner traces."
  }
}
