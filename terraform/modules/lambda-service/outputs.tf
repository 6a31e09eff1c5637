output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.main.function_name
}

output "function_arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.main.arn
}

output "alias_name" {
  description = "Name of the alias that callers use."
  value       = aws_lambda_alias.live.name
}

output "alias_arn" {
  description = "ARN of the alias, for callers other than the gateway."
  value       = aws_lambda_alias.live.arn
}

output "alias_invoke_arn" {
  description = "URI of the alias for an API Gateway integration."
  value       = aws_lambda_alias.live.invoke_arn
}

output "live_version" {
  description = "Version that the alias serves."
  value       = aws_lambda_alias.live.function_version
}

output "newest_version" {
  description = "Version that was published last."
  value       = aws_lambda_function.main.version
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.main.name
}

output "role_name" {
  description = "Name of the execution role, for the service's own policies."
  value       = data.aws_iam_role.main.name
}
