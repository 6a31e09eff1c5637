# For the pipeline (smoke test, rollback), for operators, and for client programs.

output "api_gateway_url" {
  description = "URL of the gateway's stage. The services are below it, for example {url}/api/test."
  value       = local.api_gateway_url
}

output "domain_url" {
  description = "URL of the gateway under its custom domain; null if domain_name is not set."
  value       = one([for domain in aws_api_gateway_domain_name.main : "https://${domain.domain_name}"])
}

output "rest_api_id" {
  description = "Id of the gateway's REST API."
  value       = aws_api_gateway_rest_api.main.id
}

output "stage_name" {
  description = "Name of the gateway's stage."
  value       = aws_api_gateway_stage.main.stage_name
}

output "functions" {
  description = "For each function: its name, its alias, the version that the alias serves, the version published last, its log group."
  value = {
    for service, function in merge(
      local.service_functions,
      { records = module.records },
      { for rotation in module.rotation : "rotation" => rotation },
      ) : service => {
      name           = function.function_name
      alias          = function.alias_name
      live_version   = function.live_version
      newest_version = function.newest_version
      log_group      = function.log_group_name
    }
  }
}

output "api_key_secrets" {
  description = "Name of the secret that contains each API key."
  value       = { for name, secret in aws_secretsmanager_secret.api_key : name => secret.name }
}

output "rotation_function_arn" {
  description = "ARN for `aws secretsmanager rotate-secret --rotation-lambda-arn`; null if API keys are disabled."
  value       = one(module.rotation[*].alias_arn)
}

output "usage_plan_ids" {
  description = "Id of the usage plan of each API key."
  value       = { for name, plan in aws_api_gateway_usage_plan.main : name => plan.id }
}

output "vector_bucket_name" {
  description = "Name of the bucket that stores the vectors: an S3 bucket, or a vector bucket of S3 Vectors."
  value       = local.vector_bucket_name
}

output "records_bucket_name" {
  description = "Name of the bucket with the records of answers and their seals."
  value       = aws_s3_bucket.records.bucket
}

output "record_keys_table_name" {
  description = "Name of the table with the keys of the records' texts."
  value       = aws_dynamodb_table.record_keys.name
}

output "jobs_bucket_name" {
  description = "Name of the bucket that stores the runner's jobs and the documents uploaded for them."
  value       = aws_s3_bucket.main["jobs"].bucket
}

output "runner" {
  description = "Platform of the runner. On App Runner also its URL, the ARN and id of its service, and its image."
  value = {
    platform    = var.runner_platform
    url         = local.runner_url
    service_arn = one(aws_apprunner_service.runner[*].arn)
    service_id  = one(aws_apprunner_service.runner[*].service_id)
    image       = local.runner_on_lambda ? null : local.runner_image
  }
}

output "foundation_models" {
  description = "Id of the foundation model that answers questions, and of the one that creates embeddings. The pipeline checks their life cycle."
  value       = { chat = local.chat_model, embeddings = var.bedrock_model_id }
}

output "log_retention_days" {
  description = "Days that logs are kept. After an apply, the pipeline sets the same retention on App Runner's own log groups."
  value       = var.log_retention_days
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.main.dashboard_name
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic that alarms are published to."
  value       = aws_sns_topic.alarms.arn
}

output "release" {
  description = "Release that was applied last; \"dev\" if no apply has named one."
  value       = local.release
}

output "serving_parameter" {
  description = "Name of the parameter in which promotions and rollbacks write what serves."
  value       = aws_ssm_parameter.serving.name
}

output "canary" {
  description = "Share and duration of a canary, and the namespace of the services' own metrics; a share of 0 means none."
  value = {
    percent           = var.canary_percent
    minutes           = var.canary_minutes
    metrics_namespace = local.metrics_namespace
  }
}
