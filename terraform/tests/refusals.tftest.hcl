# Offline: the provider is mocked, and `override_during = plan` lets a plan know what an apply would.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment  = "dev"
  package_dir  = "tests/packages"
  runner_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

  service_api_keys = {
    api      = { quota_limit = 100000, quota_period = "MONTH", description = "API" }
    chat     = { quota_limit = 100000, quota_period = "MONTH", description = "Chat" }
    s3vector = { quota_limit = 50000, quota_period = "MONTH", description = "S3Vector" }
    runner   = { quota_limit = 75000, quota_period = "MONTH", description = "Runner" }
    client   = { quota_limit = 10000, quota_period = "MONTH", description = "Client" }
  }
}

# One run for each validation: what is wrong is refused, by its own variable.

run "project_name" {
  command         = plan
  expect_failures = [var.project_name]

  variables {
    project_name = "Fin_Advisor"
  }
}

run "environment_production" {
  command         = plan
  expect_failures = [var.environment]

  variables {
    environment = "production"
  }
}

run "region" {
  command         = plan
  expect_failures = [var.aws_region]

  variables {
    aws_region = "Virginia"
  }
}

run "architecture" {
  command         = plan
  expect_failures = [var.architecture]

  variables {
    architecture = "amd64"
  }
}

run "live_versions" {
  command         = plan
  expect_failures = [var.live_versions]

  variables {
    live_versions = { api = "latest" }
  }
}

run "live_version_of_nobody" {
  command         = plan
  expect_failures = [var.live_versions]

  variables {
    live_versions = { web = "1" }
  }
}

run "runner_platform" {
  command         = plan
  expect_failures = [var.runner_platform]

  variables {
    runner_platform = "ecs"
  }
}

run "runner_without_an_image" {
  command         = plan
  expect_failures = [var.runner_image]

  variables {
    runner_image = null
  }
}

run "runner_image_by_tag" {
  command         = plan
  expect_failures = [var.runner_image]

  variables {
    runner_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner:latest"
  }
}

run "key_of_a_service_missing" {
  command         = plan
  expect_failures = [var.service_api_keys]

  variables {
    service_api_keys = { api = { quota_limit = 1, quota_period = "DAY", description = "API" } }
  }
}

run "rotation_days" {
  command         = plan
  expect_failures = [var.key_rotation_days]

  variables {
    key_rotation_days = 0
  }
}

run "recovery_days" {
  command         = plan
  expect_failures = [var.secret_recovery_days]

  variables {
    secret_recovery_days = 3
  }
}

run "log_level" {
  command         = plan
  expect_failures = [var.log_level]

  variables {
    log_level = "debug"
  }
}

run "log_retention" {
  command         = plan
  expect_failures = [var.log_retention_days]

  variables {
    log_retention_days = 31
  }
}

run "tracing_mode" {
  command         = plan
  expect_failures = [var.tracing_mode]

  variables {
    tracing_mode = "xray"
  }
}

run "layer_without_an_account" {
  command         = plan
  expect_failures = [var.adot_layer_arn]

  variables {
    adot_layer_arn = "aws-otel-python-amd64-ver-1-17-0"
  }
}

run "sampling" {
  command         = plan
  expect_failures = [var.trace_sample_percent]

  variables {
    trace_sample_percent = 101
  }
}

run "mail_address" {
  command         = plan
  expect_failures = [var.alarm_emails]

  variables {
    alarm_emails = ["oncall"]
  }
}

run "budget" {
  command         = plan
  expect_failures = [var.monthly_budget_usd]

  variables {
    monthly_budget_usd = 0
  }
}

run "embedding_model" {
  command         = plan
  expect_failures = [var.bedrock_model_id]

  variables {
    bedrock_model_id = "titan"
  }
}

run "dimensions" {
  command         = plan
  expect_failures = [var.embedding_dimensions]

  variables {
    embedding_dimensions = 768
  }
}

run "chat_model" {
  command         = plan
  expect_failures = [var.chat_model_id]

  variables {
    chat_model_id = "claude"
  }
}

run "no_chat_region" {
  command         = plan
  expect_failures = [var.chat_model_regions]

  variables {
    chat_model_regions = []
  }
}

run "vector_backend" {
  command         = plan
  expect_failures = [var.vector_backend]

  variables {
    vector_backend = "faiss"
  }
}

run "throttle" {
  command         = plan
  expect_failures = [var.throttle]

  variables {
    throttle = { rate_limit = 0, burst_limit = 1 }
  }
}

run "concurrency_of_nobody" {
  command         = plan
  expect_failures = [var.reserved_concurrency]

  variables {
    reserved_concurrency = { web = 1 }
  }
}

run "network_without_a_subnet" {
  command         = plan
  expect_failures = [var.vpc_config]

  variables {
    vpc_config = { subnet_ids = [], security_group_ids = ["sg-1"] }
  }
}

run "certificate" {
  command         = plan
  expect_failures = [var.domain_name]

  variables {
    domain_name = { name = "api.example.com", certificate_arn = "api.example.com" }
  }
}

run "global_firewall" {
  command         = plan
  expect_failures = [var.waf_acl_arn]

  variables {
    waf_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"
  }
}

run "origin_with_a_path" {
  command         = plan
  expect_failures = [var.cors_origins]

  variables {
    cors_origins = ["https://app.example.com/"]
  }
}

run "authorizer" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "basic" }
  }
}

run "cognito_without_a_pool" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "cognito" }
  }
}

run "token_without_a_function" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { type = "jwt" }
  }
}

run "quota_period" {
  command         = plan
  expect_failures = [var.service_api_keys]

  variables {
    enable_service_api_keys = false
    service_api_keys        = { a = { quota_limit = 1, quota_period = "YEAR", description = "A" } }
  }
}

run "quota_of_nothing" {
  command         = plan
  expect_failures = [var.service_api_keys]

  variables {
    enable_service_api_keys = false
    service_api_keys        = { a = { quota_limit = 0, quota_period = "DAY", description = "A" } }
  }
}

run "key_name" {
  command         = plan
  expect_failures = [var.service_api_keys]

  variables {
    enable_service_api_keys = false
    service_api_keys        = { "A/b" = { quota_limit = 1, quota_period = "DAY", description = "A" } }
  }
}

run "force_destroy_outside_dev" {
  command         = plan
  expect_failures = [var.force_destroy]

  variables {
    environment   = "test"
    force_destroy = true
  }
}

run "prod_without_anybody_to_tell" {
  command         = plan
  expect_failures = [var.alarm_emails]

  variables {
    environment = "prod"
  }
}

run "layer_in_a_region_without_layers" {
  command         = plan
  expect_failures = [var.tracing_mode]

  variables {
    aws_region   = "ca-west-1"
    runner_image = "123456789012.dkr.ecr.ca-west-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }
}
