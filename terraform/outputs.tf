# For the pipeline (smoke test, rollback), for operators, and for client programs.

output "api_gateway_url" {
  description = "Where the services are reached: {url}/api/test."
  value       = local.api_gateway_url
}

output "domain_url" {
  description = "The same under its own domain, where domain_name is set."
  value       = one([for domain in aws_api_gateway_domain_name.main : "https://${domain.domain_name}"])
}

output "rest_api_id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.main.id
}

output "stage_name" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.main.stage_name
}

output "functions" {
  description = "Each function's name, alias, and the versions that the alias serves and that was published last."
  value = {
    for service, function in merge(
      local.service_functions,
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
  description = "Name of the secret that holds each API key."
  value       = { for name, secret in aws_secretsmanager_secret.api_key : name => secret.name }
}

output "rotation_function_arn" {
  description = "What `aws secretsmanager rotate-secret --rotation-lambda-arn` takes; null while keys are off."
  value       = one(module.rotation[*].alias_arn)
}

output "usage_plan_ids" {
  description = "Usage plan of each API key."
  value       = { for name, plan in aws_api_gateway_usage_plan.main : name => plan.id }
}

output "vector_bucket_name" {
  description = "Bucket that holds the vectors (an S3 bucket, or a vector bucket of S3 Vectors)."
  value       = local.vector_bucket_name
}

output "jobs_bucket_name" {
  description = "Bucket that holds the runner's jobs and the documents uploaded for them."
  value       = aws_s3_bucket.main["jobs"].bucket
}

output "runner" {
  description = "Where the runner lives; on App Runner also its URL, service and image."
  value = {
    platform    = var.runner_platform
    url         = local.runner_url
    service_arn = one(aws_apprunner_service.runner[*].arn)
    service_id  = one(aws_apprunner_service.runner[*].service_id)
    image       = local.runner_on_lambda ? null : var.runner_image
  }
}

output "log_retention_days" {
  description = "For the program that sets it on App Runner's own log groups after an apply."
  value       = var.log_retention_days
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.main.dashboard_name
}

output "alarm_topic_arn" {
  description = "SNS topic that the alarms go to."
  value       = aws_sns_topic.alarms.arn
}

output "release" {
  description = "Release that was applied last, null where an apply did not say."
  value       = var.release
}
