# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "names_sizes_and_versions" {
  command = plan

  assert {
    condition = [module.api.function_name, module.chat.function_name, module.s3vector.function_name, module.rotation[0].function_name] == [
      "fin-advisor-dev-api", "fin-advisor-dev-chat", "fin-advisor-dev-s3vector", "fin-advisor-dev-rotation",
    ]
    error_message = "A function is called {project}-{environment}-{service}."
  }

  assert {
    condition = alltrue([
      for name in local.declared_functions :
      output.functions[name].log_group == "/aws/lambda/fin-advisor-dev-${name}" && output.functions[name].alias == "live" && output.functions[name].live_version == "7"
    ])
    error_message = "Each function has its own log group, and a `live` alias at the newest version."
  }

  assert {
    condition     = module.api.alias_name == "live" && aws_lambda_permission.gateway["api"].qualifier == "live"
    error_message = "The gateway may call the alias, not the function."
  }

  assert {
    condition     = aws_apprunner_service.runner[0].service_name == "fin-advisor-dev-runner" && aws_apprunner_service.runner[0].instance_configuration[0].cpu == "1024" && aws_apprunner_service.runner[0].instance_configuration[0].memory == "2048"
    error_message = "The runner has 1024 CPU units and 2048 MB."
  }

  assert {
    condition     = aws_apprunner_auto_scaling_configuration_version.runner[0].min_size == 1 && aws_apprunner_auto_scaling_configuration_version.runner[0].max_size == 5
    error_message = "The runner scales from 1 to 5."
  }
}

# What Terraform derives from services.json and the module map.
run "each_declared_function_is_complete" {
  command = plan

  assert {
    condition     = toset(keys(output.functions)) == setunion(local.declared_functions, [for name, declared in local.declared : name if declared.kind == "task"])
    error_message = "Each function is an output, for the pipeline."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.function_errors)) == local.declared_functions && toset(keys(aws_cloudwatch_metric_alarm.function_throttles)) == local.declared_functions
    error_message = "Each function has its alarms."
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_log_data_protection_policy.service)) == local.declared_functions
    error_message = "Personal data is masked in each function's log."
  }

  assert {
    condition = alltrue([
      for name in local.services :
      length([for row in local.dashboard_rows : row if startswith(row.title, "Services:") && strcontains(jsonencode(row.metrics), "\"${name}\"")]) >= 3
    ])
    error_message = "Each service is in the dashboard's rows."
  }
}

run "release" {
  command = plan

  assert {
    condition     = local.lambda_environment["SERVICE_VERSION"] == "dev"
    error_message = "Without a release, the functions report the version dev."
  }
}

run "named_release" {
  command = plan

  variables {
    release = "v1.2.0"
  }

  assert {
    condition     = local.lambda_environment["SERVICE_VERSION"] == "v1.2.0"
    error_message = "A function reports its release."
  }

  assert {
    condition     = !contains(keys(aws_apprunner_service.runner[0].source_configuration[0].image_repository[0].image_configuration[0].runtime_environment_variables), "SERVICE_VERSION")
    error_message = "An apply with a release does not change the runner, whose image changes later."
  }
}

run "policies" {
  command = plan

  assert {
    condition = [
      aws_iam_policy.lambda_api_secrets.name, aws_iam_policy.lambda_chat_secrets.name,
      aws_iam_policy.lambda_s3vector_secrets.name, aws_iam_policy.apprunner_runner_secrets.name,
      ] == [
      "fin-advisor-dev-lambda-api-secrets", "fin-advisor-dev-lambda-chat-secrets",
      "fin-advisor-dev-lambda-s3vector-secrets", "fin-advisor-dev-apprunner-runner-secrets",
    ]
    error_message = "The secrets policies have the names of requirements.md."
  }

  assert {
    condition = alltrue([
      for service, policy in {
        api      = aws_iam_policy.lambda_api_secrets.policy
        chat     = aws_iam_policy.lambda_chat_secrets.policy
        s3vector = aws_iam_policy.lambda_s3vector_secrets.policy
        runner   = aws_iam_policy.apprunner_runner_secrets.policy
      } : one([for statement in jsondecode(policy).Statement : statement.Resource if statement.Sid == "ReadOwnKey"]) == "arn:aws:secretsmanager:us-east-1:123456789012:secret:fin-advisor/dev/${service}/api-key-*"
    ])
    error_message = "A service reads its own key only."
  }

  assert {
    condition = alltrue([
      for resource in jsondecode(aws_iam_policy.lambda_chat_bedrock.policy).Statement[0].Resource :
      endswith(resource, "anthropic.claude-sonnet-5-5")
    ]) && length(jsondecode(aws_iam_policy.lambda_chat_bedrock.policy).Statement) == 1 && length(jsondecode(aws_iam_policy.lambda_chat_bedrock.policy).Statement[0].Resource) == 5
    error_message = "chat may use the profile, and the model in each of its four regions."
  }

  assert {
    condition     = output.foundation_models == { chat = "anthropic.claude-sonnet-5-5", embeddings = "amazon.titan-embed-text-v2:0" }
    error_message = "The pipeline finds the foundation model behind the inference profile."
  }

  assert {
    condition     = aws_iam_policy.lambda_api_secrets.path == "/fin-advisor/dev/"
    error_message = "The deploy role may write policies under the environment's path only."
  }
}

run "gateway" {
  command = plan

  assert {
    condition     = output.api_gateway_url == "https://abc123.execute-api.us-east-1.amazonaws.com/dev"
    error_message = "The URL ends with the stage."
  }

  assert {
    condition     = toset([for resource in aws_api_gateway_resource.service : resource.path_part]) == local.services
    error_message = "Each service has one path."
  }

  assert {
    condition     = alltrue([for method in concat(values(aws_api_gateway_method.service), values(aws_api_gateway_method.proxy)) : method.api_key_required])
    error_message = "Every method needs a key."
  }

  assert {
    condition     = aws_api_gateway_rest_api.main.endpoint_configuration[0].types == tolist(["REGIONAL"])
    error_message = "The API is regional."
  }

  assert {
    condition     = aws_api_gateway_method_settings.main.settings[0].metrics_enabled && !aws_api_gateway_method_settings.main.settings[0].data_trace_enabled && aws_api_gateway_method_settings.main.settings[0].throttling_rate_limit == 100
    error_message = "Metrics and throttling are enabled, and bodies are not logged."
  }

  assert {
    condition     = endswith(aws_api_gateway_integration.proxy["api"].uri, ":live/invocations") && aws_api_gateway_integration.proxy["api"].type == "AWS_PROXY"
    error_message = "The gateway calls a function through its alias."
  }

  assert {
    condition     = aws_api_gateway_gateway_response.main["DEFAULT_4XX"].response_templates["application/json"] == "{\"message\":$context.error.messageString}"
    error_message = "The gateway's own errors keep AWS's body."
  }

  assert {
    condition     = length(aws_api_gateway_method.preflight) == 0
    error_message = "Without cors_origins, the gateway answers no preflight request."
  }

  assert {
    condition = length(aws_api_gateway_method.operation) == length(local.named.operations) && alltrue([
      for name, method in aws_api_gateway_method.operation :
      method.operation_name == name && method.api_key_required && method.authorization == "NONE" && method.request_validator_id == null
    ])
    error_message = "Each operation of the API has a method of its name, which needs a key and leaves validation to the service."
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.operation : endswith(integration.uri, ":live/invocations")])
    error_message = "A named operation calls the function through its alias, like every other path."
  }
}

run "buckets_and_secrets_of_dev" {
  command = plan

  variables {
    secret_recovery_days = 0
    force_destroy        = true
  }

  assert {
    condition     = aws_s3_bucket.main["vectors"].bucket == "fin-advisor-dev-vectors-123456789012-us-east-1" && aws_s3_bucket.main["jobs"].bucket == "fin-advisor-dev-jobs-123456789012-us-east-1"
    error_message = "A bucket's name contains account and region."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.main["vectors"].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256" && aws_s3_bucket_versioning.main["vectors"].versioning_configuration[0].status == "Enabled"
    error_message = "Buckets are encrypted with AES256 and versioned."
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.api_key : secret.recovery_window_in_days == 0]) && aws_s3_bucket.main["jobs"].force_destroy
    error_message = "dev can be destroyed and created again."
  }
}

run "rollback" {
  command = plan

  variables {
    live_versions = { api = "3" }
  }

  assert {
    condition     = module.api.live_version == "3" && module.chat.live_version == "7" && module.api.newest_version == "7"
    error_message = "A rollback moves one alias and no other."
  }
}

run "what_serves_is_remembered" {
  command = plan

  override_data {
    target = data.aws_ssm_parameters_by_path.main
    values = {
      names  = ["/fin-advisor/dev/other", "/fin-advisor/dev/release", "/fin-advisor/dev/serving"]
      values = ["x", "v1.2.0", "{\"live_versions\": {\"api\": \"3\", \"chat\": \"4\"}, \"runner_image\": \"123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"}"]
    }
  }

  variables {
    live_versions = { chat = "5" }
    runner_image  = null
  }

  assert {
    condition     = [module.api.live_version, module.chat.live_version, module.s3vector.live_version] == ["3", "5", "7"]
    error_message = "A remembered version serves, a variable wins, and a function without either serves its newest version."
  }

  assert {
    condition     = endswith(aws_apprunner_service.runner[0].source_configuration[0].image_repository[0].image_identifier, "@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb") && length(data.aws_ecr_image.newest) == 0
    error_message = "The remembered image serves, and no newer one is looked for."
  }

  assert {
    condition     = output.release == "v1.2.0" && local.lambda_environment["SERVICE_VERSION"] == "v1.2.0" && aws_ssm_parameter.release.insecure_value == "v1.2.0"
    error_message = "An apply without a release keeps the one that was applied last."
  }

  assert {
    condition     = output.serving_parameter == "/fin-advisor/dev/serving" && aws_ssm_parameter.serving.insecure_value == "{}"
    error_message = "The record of what serves begins empty; only programs write to it."
  }
}

run "the_newest_image_serves_first" {
  command = plan

  override_data {
    target = data.aws_ecr_repository.runner
    values = { most_recent_image_tags = ["commit-1"], name = "fin-advisor/runner" }
  }

  override_data {
    target = data.aws_ecr_image.newest
    values = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" }
  }

  variables {
    runner_image = null
  }

  assert {
    condition     = endswith(output.runner.image, "@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc")
    error_message = "A first apply in dev finds the newest image."
  }
}

run "an_empty_repository_is_refused" {
  command = plan

  override_data {
    target = data.aws_ecr_repository.runner
    values = { most_recent_image_tags = [], name = "fin-advisor/runner" }
  }

  variables {
    runner_image = null
  }

  expect_failures = [data.aws_ecr_image.newest]
}

run "browsers" {
  command = plan

  variables {
    cors_origins = ["https://app.example.com"]
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.preflight : !method.api_key_required && method.authorization == "NONE"]) && keys(aws_api_gateway_method.preflight) == ["api"]
    error_message = "A preflight request needs no key, and web pages call api only."
  }

  assert {
    condition     = aws_api_gateway_gateway_response.main["DEFAULT_4XX"].response_parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://app.example.com'"
    error_message = "A web page can read the gateway's error responses."
  }

  assert {
    condition     = contains(split(",", trim(aws_api_gateway_integration_response.preflight["api"].response_parameters["method.response.header.Access-Control-Allow-Headers"], "'")), "idempotency-key")
    error_message = "A web page can start an ingestion that it may repeat."
  }
}

run "end_users_of_cognito" {
  command = plan

  variables {
    authorizer = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a"] }
  }

  assert {
    condition = alltrue([
      for service in local.services : alltrue([
        for method in [aws_api_gateway_method.service[service], aws_api_gateway_method.proxy[service]] :
        method.authorization == (service == "api" ? "COGNITO_USER_POOLS" : "NONE")
      ])
    ]) && alltrue([for method in aws_api_gateway_method.operation : method.authorization == "COGNITO_USER_POOLS"]) && keys(aws_api_gateway_method.health) == ["api"] && aws_api_gateway_method.health["api"].authorization == "NONE"
    error_message = "End users sign in at /api, and nowhere else; services and canaries do not."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.proxy : method.authorization_scopes == null || try(length(method.authorization_scopes), 0) == 0])
    error_message = "With scopes, API Gateway would take access tokens in the place of ID tokens."
  }
}

run "end_users_with_tokens" {
  command = plan

  variables {
    cors_origins = ["https://app.example.com"]
    authorizer   = { type = "jwt", function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tokens" }
  }

  assert {
    condition     = aws_api_gateway_method.proxy["api"].authorization == "CUSTOM" && aws_api_gateway_authorizer.main[0].type == "TOKEN"
    error_message = "The configured function checks the token."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.preflight : method.authorization == "NONE"])
    error_message = "A preflight request carries no token."
  }
}

run "conversations" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.conversations.name == "fin-advisor-dev-conversations" && aws_dynamodb_table.conversations.billing_mode == "PAY_PER_REQUEST"
    error_message = "Conversations have a table of their own, paid by request."
  }

  assert {
    condition     = one(aws_dynamodb_table.conversations.ttl).attribute_name == "expires_at" && one(aws_dynamodb_table.conversations.ttl).enabled
    error_message = "Conversations expire."
  }

  assert {
    condition     = jsondecode(aws_iam_policy.lambda_chat_conversations.policy).Statement[0].Resource == "arn:aws:dynamodb:us-east-1:123456789012:table/fin-advisor-dev-conversations"
    error_message = "chat may use this table only."
  }
}

run "records_without_a_lock" {
  command = plan

  assert {
    condition     = aws_s3_bucket.records.bucket == "fin-advisor-dev-records-123456789012-us-east-1" && aws_s3_bucket.records.object_lock_enabled && length(aws_s3_bucket_object_lock_configuration.records) == 0
    error_message = "The bucket of records can be locked, and is not unless record_retention is set."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_policy.lambda_chat_records.policy).Statement : statement.Sid => [statement.Action, statement.Resource]
      } == {
      WriteRecords      = [["s3:PutObject"], "arn:aws:s3:::fin-advisor-dev-records-123456789012-us-east-1/records/*"]
      ReadAndCreateKeys = [["dynamodb:BatchGetItem", "dynamodb:PutItem"], "arn:aws:dynamodb:us-east-1:123456789012:table/fin-advisor-dev-record-keys"]
    }
    error_message = "chat may write records and nothing else in the bucket, and may delete no key."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.lambda_records_seals.policy, "dynamodb") && !strcontains(aws_iam_policy.lambda_records_seals.policy, "Delete")
    error_message = "The sealing function reads no key and deletes nothing."
  }

  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.records.policy).Statement : statement.Sid] == ["TlsOnly", "WriteOnce"]
    error_message = "The bucket accepts no plain HTTP, and no write without If-None-Match."
  }

  assert {
    condition     = aws_scheduler_schedule.seal_records.schedule_expression == "rate(1 hour)" && one(aws_scheduler_schedule.seal_records.target).input == jsonencode({ task = "seal-records" })
    error_message = "Records are sealed each hour."
  }

  assert {
    condition     = !contains([for name, _ in aws_dynamodb_table.record_keys.ttl : name], "expires_at") && aws_dynamodb_table.record_keys.deletion_protection_enabled
    error_message = "Keys do not expire, and their table cannot be deleted."
  }
}

run "records_with_a_lock" {
  command = plan

  variables {
    record_retention = { mode = "COMPLIANCE", days = 2192 }
    records_required = true
  }

  assert {
    condition     = one(aws_s3_bucket_object_lock_configuration.records[0].rule[0].default_retention).mode == "COMPLIANCE" && one(aws_s3_bucket_object_lock_configuration.records[0].rule[0].default_retention).days == 2192
    error_message = "record_retention is the bucket's default retention."
  }
}

run "a_larger_store_and_a_shorter_erasure" {
  command = plan

  variables {
    max_store_mib      = 1024
    s3vector_memory_mb = 2048
    erasure_days       = 10
  }

  assert {
    condition     = local.s3vector_needed_mb == 1674 && local.s3vector_memory_mb == 2048
    error_message = "The function has the memory that its store needs."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket_lifecycle_configuration.main : [for rule in bucket.rule : rule.noncurrent_version_expiration[0].noncurrent_days if rule.id == "old-versions"] == [7]])
    error_message = "Old versions are kept for what the erasure leaves of its days."
  }

  assert {
    condition = { for name, bucket in aws_s3_bucket_lifecycle_configuration.main : name => { for rule in bucket.rule : rule.filter[0].prefix => rule.expiration[0].days if rule.id != "old-versions" } } == {
      vectors = { "documents/pending/" = 1 }
      jobs    = { "incoming/" = 7, "jobs/state/" = 10, "jobs/items/" = 10, "jobs/open/" = 10 }
    }
    error_message = "Offers, uploads and ended jobs expire, and nothing else."
  }

  assert {
    condition     = aws_scheduler_schedule.erase_texts.schedule_expression == "rate(1 hour)" && one(aws_scheduler_schedule.erase_texts.target).input == jsonencode({ task = "erase-texts" })
    error_message = "Deleted texts are erased each hour."
  }
}

run "s3_vectors" {
  command = plan

  variables {
    vector_backend = "s3vectors"
  }

  assert {
    condition     = length(aws_cloudformation_stack.s3vectors) == 1 && !contains(keys(aws_s3_bucket.main), "vectors")
    error_message = "The vectors are in S3 Vectors, and no S3 bucket is created for them."
  }

  assert {
    condition     = jsondecode(aws_iam_policy.lambda_s3vector_store.policy).Statement[0].Resource == "arn:aws:s3vectors:us-east-1:123456789012:bucket/fin-advisor-dev-vectors-123456789012-us-east-1/index/documents"
    error_message = "s3vector may use its own index only."
  }
}

run "everything_optional" {
  command = plan

  variables {
    vpc_config           = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    domain_name          = { name = "api.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a", zone_id = "Z1" }
    waf_acl_arn          = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b"
    reserved_concurrency = { s3vector = 20 }
    alarm_emails         = ["oncall@example.com"]
    monthly_budget_usd   = 50
    tags                 = { CostCentre = "4711" }
    key_rotation_days    = 30
    chat_guardrail       = { id = "gr1abc", version = "3" }
  }

  assert {
    condition     = jsondecode(aws_iam_policy.lambda_chat_bedrock.policy).Statement[1].Resource == ["arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1abc"] && jsondecode(aws_iam_policy.lambda_chat_bedrock.policy).Statement[1].Action == ["bedrock:ApplyGuardrail"]
    error_message = "chat may apply its own guardrail only."
  }

  assert {
    condition     = length(aws_apprunner_vpc_connector.runner) == 1 && length(aws_wafv2_web_acl_association.main) == 1 && length(aws_route53_record.main) == 1 && length(aws_budgets_budget.main) == 1 && length(aws_sns_topic_subscription.alarms) == 1
    error_message = "Each option creates its resources."
  }

  assert {
    condition     = local.tags == { CostCentre = "4711", Project = var.project_name, Environment = var.environment, ManagedBy = "terraform" }
    error_message = "Tags of one's own are added to those that permissions depend on."
  }

  assert {
    condition     = output.domain_url == "https://api.example.com" && length(aws_secretsmanager_secret_rotation.api_key) == length(local.api_keys)
    error_message = "The domain is an output, and each key is rotated."
  }

  assert {
    condition     = alltrue([for rotation in aws_secretsmanager_secret_rotation.api_key : !rotation.rotate_immediately])
    error_message = "A first apply does not rotate keys that nobody has used."
  }
}
