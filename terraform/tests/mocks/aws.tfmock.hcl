# Values that have to be well-formed, which the mocked provider's random strings are not: ARNs, ids and accounts.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = {
    id            = "abc123"
    execution_arn = "arn:aws:execute-api:us-east-1:123456789012:abc123"
  }
}

mock_resource "aws_api_gateway_stage" {
  defaults = { arn = "arn:aws:apigateway:us-east-1::/restapis/abc123/stages/dev" }
}

mock_resource "aws_api_gateway_api_key" {
  defaults = { id = "key01" }
}

mock_resource "aws_api_gateway_usage_plan" {
  defaults = { id = "plan01" }
}

mock_resource "aws_apprunner_service" {
  defaults = {
    arn         = "arn:aws:apprunner:us-east-1:123456789012:service/mocked/0123456789abcdef0123456789abcdef"
    service_id  = "0123456789abcdef0123456789abcdef"
    service_url = "mocked.us-east-1.awsapprunner.com"
  }
}

mock_resource "aws_apprunner_auto_scaling_configuration_version" {
  defaults = { arn = "arn:aws:apprunner:us-east-1:123456789012:autoscalingconfiguration/mocked/1/0123456789abcdef0123456789abcdef" }
}

mock_resource "aws_apprunner_observability_configuration" {
  defaults = { arn = "arn:aws:apprunner:us-east-1:123456789012:observabilityconfiguration/mocked/1/0123456789abcdef0123456789abcdef" }
}

mock_resource "aws_apprunner_vpc_connector" {
  defaults = { arn = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/mocked/1/0123456789abcdef0123456789abcdef" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mocked" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn     = "arn:aws:lambda:us-east-1:123456789012:function:mocked"
    version = "7"
  }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn        = "arn:aws:lambda:us-east-1:123456789012:function:mocked:live"
    invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:mocked:live/invocations"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mocked" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mocked-abcdef" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-east-1:123456789012:mocked" }
}
