# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

# Each of these values is wrong, and its variable's validation refuses it. tests/test_mocked.py checks the messages.

run "wrong_values_are_each_refused" {
  command = plan

  expect_failures = [
    var.project_name,
    var.environment,
    var.aws_region,
    var.tags,
    var.architecture,
    var.live_versions,
    var.service_api_keys,
    var.key_rotation_days,
    var.secret_recovery_days,
    var.log_level,
    var.log_retention_days,
    var.adot_layer_arn,
    var.stream_timeout_seconds,
    var.trace_sample_percent,
    var.monthly_budget_usd,
    var.bedrock_model_id,
    var.embedding_dimensions,
    var.chat_model_id,
    var.chat_model_regions,
    var.conversation_days,
    var.erasure_days,
    var.chat_max_output_tokens,
    var.chat_min_relevance,
    var.chat_citations,
    var.chat_model_fields,
    var.chat_guardrail,
    var.chat_support_country,
    var.chat_policy_path,
    var.vector_backend,
    var.search_mode,
    var.throttle,
    var.operation_throttles,
    var.reserved_concurrency,
    var.vpc_config,
    var.domain_name,
    var.waf_acl_arn,
    var.cors_origins,
    var.authorizer,
    var.release,
  ]

  variables {
    project_name         = "Fin_Advisor"
    environment          = "production"
    aws_region           = "Virginia"
    tags                 = { environment = "prod" }
    architecture         = "amd64"
    live_versions        = { api = "latest" }
    service_api_keys     = { api = { quota_limit = 1.5, quota_period = "DAY", description = "API" } }
    key_rotation_days    = 0
    secret_recovery_days = 3
    log_level            = "debug"
    log_retention_days   = 31
    adot_layer_arn       = "aws-otel-python-amd64-ver-1-17-0"
    trace_sample_percent = 101

    stream_timeout_seconds = 20.5

    monthly_budget_usd   = 0
    bedrock_model_id     = "titan"
    embedding_dimensions = 768
    chat_model_id        = "claude"
    chat_model_regions   = []
    conversation_days    = 0
    erasure_days         = 1.5

    chat_max_output_tokens = 0.5
    chat_min_relevance     = 2
    chat_citations         = "footnotes"
    chat_model_fields      = "effort=low"
    chat_guardrail         = { id = "My-Guardrail", version = "3" }
    chat_support_country   = "usa"
    chat_policy_path       = "acme.yaml"

    vector_backend       = "faiss"
    search_mode          = "lexical"
    throttle             = { rate_limit = 0, burst_limit = 1 }
    operation_throttles  = { ask = { rate_limit = 0, burst_limit = 1 }, answer = { rate_limit = 1, burst_limit = 1 } }
    reserved_concurrency = { web = 1 }
    vpc_config           = { subnet_ids = [], security_group_ids = ["sg-1"] }
    domain_name          = { name = "api.example.com", certificate_arn = "api.example.com" }
    waf_acl_arn          = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"
    cors_origins         = ["https://app.example.com/"]
    authorizer           = { type = "basic" }
    release              = "v1.2.0+2"
  }
}

# The validation of these variables depends on another variable, which has to be valid.
run "wrong_values_beside_right_ones_are_each_refused" {
  command = plan

  expect_failures = [
    var.runner_platform,
    var.runner_image,
    var.tracing_mode,
    var.alarm_emails,
    var.force_destroy,
  ]

  variables {
    environment     = "test"
    runner_platform = "ecs"
    runner_image    = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner:latest"
    tracing_mode    = "xray"
    alarm_emails    = ["oncall"]
    force_destroy   = true
  }
}

run "a_developers_environment_has_no_app_runner" {
  command = plan

  expect_failures = [
    var.runner_platform,
  ]

  variables {
    environment     = "anna"
    runner_platform = "apprunner"
  }
}

run "a_name_that_the_pipeline_uses_is_no_environment" {
  command = plan

  expect_failures = [
    var.environment,
  ]

  variables {
    environment     = "plan"
    runner_platform = "lambda"
  }
}

run "an_environment_that_serves_no_image_needs_one" {
  command = plan

  expect_failures = [aws_apprunner_service.runner]

  variables {
    environment  = "test"
    runner_image = null
  }
}

run "what_does_not_go_together_is_refused" {
  command = plan

  expect_failures = [
    var.live_versions,
    var.service_api_keys,
    var.authorizer,
    var.tracing_mode,
    var.alarm_emails,
    var.force_destroy,
  ]

  variables {
    live_versions    = { web = "1" }
    service_api_keys = { a = { quota_limit = 1, quota_period = "YEAR", description = "A" } }
    authorizer       = { type = "cognito", tenant_claim = "a tenant" }
    environment      = "prod"
    aws_region       = "ca-west-1"
    tracing_mode     = "auto"
    alarm_emails     = []
    force_destroy    = true
  }
}

run "a_store_larger_than_its_function_is_refused" {
  command = plan

  expect_failures = [
    var.s3vector_memory_mb,
  ]

  variables {
    max_store_mib = 256
  }
}

run "a_store_larger_than_any_function_is_refused" {
  command = plan

  expect_failures = [
    var.max_store_mib,
  ]

  variables {
    max_store_mib      = 7300
    s3vector_memory_mb = 10240
  }
}

run "an_empty_quota_is_refused" {
  command = plan

  expect_failures = [
    var.service_api_keys,
    var.authorizer,
    var.cors_origins,
  ]

  variables {
    enable_service_api_keys = false
    service_api_keys        = { a = { quota_limit = 0, quota_period = "DAY", description = "A" } }
    authorizer              = { type = "jwt" }
    cors_origins            = ["http://app.example.com"]
  }
}

run "a_key_that_cannot_name_a_secret_is_refused" {
  command = plan

  expect_failures = [
    var.service_api_keys,
  ]

  variables {
    enable_service_api_keys = false
    service_api_keys        = { "A/b" = { quota_limit = 1, quota_period = "DAY", description = "A" } }
  }
}

run "a_wrong_retention_is_refused" {
  command = plan

  expect_failures = [
    var.record_retention,
  ]

  variables {
    record_retention = { mode = "governance", days = 0 }
  }
}

run "locked_records_cannot_be_destroyed" {
  command = plan

  expect_failures = [
    var.record_retention,
  ]

  variables {
    force_destroy    = true
    record_retention = { mode = "GOVERNANCE", days = 1 }
  }
}

run "streaming_beside_the_wrapper_of_auto_is_refused" {
  command = plan

  expect_failures = [var.streaming]

  variables {
    streaming    = true
    tracing_mode = "auto"
  }
}
