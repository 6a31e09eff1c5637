# The operations that services.json lists in `streams`. A method streams its answers or does not, so each of them has a
# path and a method of its own.

locals {
  streams = merge([
    for service, declared in local.declared : {
      for operation in try(declared.streams, []) : "${service}${split(" ", operation)[1]}" => {
        service = service
        method  = split(" ", operation)[0]
        parts   = split("/", trimprefix(split(" ", operation)[1], "/"))
      }
    } if var.streaming
  ]...)
  streaming_services = toset([for stream in local.streams : stream.service])

  # The functions that stream run our own loop, because AWS's Python client cannot stream.
  stream_environment = {
    for service in local.services : service => contains(local.streaming_services, service) ? {
      AWS_LAMBDA_EXEC_WRAPPER = "/var/task/shared/aws_lambda/stream_runtime.sh"
      STREAM_TIMEOUT_SECONDS  = tostring(var.stream_timeout_seconds)
    } : {}
  }
  function_timeouts = {
    for service, declared in local.declared : service =>
    contains(local.streaming_services, service) ? var.stream_timeout_seconds : declared.timeout_s
  }

  stream_methods = {
    for path, stream in local.streams : join("", [for part in split("/", path) : title(part)]) => {
      Type = "AWS::ApiGateway::Method"
      Properties = merge(
        {
          RestApiId         = aws_api_gateway_rest_api.main.id
          ResourceId        = aws_api_gateway_resource.stream[path].id
          HttpMethod        = stream.method
          AuthorizationType = local.authorization[stream.service]
          ApiKeyRequired    = var.enable_service_api_keys
          Integration = {
            Type                  = "AWS_PROXY"
            IntegrationHttpMethod = "POST"
            Uri                   = "arn:${local.partition}:apigateway:${var.aws_region}:lambda:path/2021-11-15/functions/${local.service_functions[stream.service].alias_arn}/response-streaming-invocations"
            ResponseTransferMode  = "STREAM"
            TimeoutInMillis       = var.stream_timeout_seconds * 1000
          }
        },
        contains(local.authorized, stream.service) ? { AuthorizerId = aws_api_gateway_authorizer.main[0].id } : {},
      )
    }
  }
}

# The path above a stream, unless the operations in api-gateway.tf have made it.
resource "aws_api_gateway_resource" "stream_parent" {
  for_each = { for path, stream in local.streams : path => stream if !contains(keys(local.named.paths["1"]), dirname(path)) }

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.service[each.value.service].id
  path_part   = each.value.parts[0]
}

resource "aws_api_gateway_resource" "stream" {
  for_each = local.streams

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id = try(
    aws_api_gateway_resource.first[dirname(each.key)].id, aws_api_gateway_resource.stream_parent[each.key].id
  )
  path_part = each.value.parts[1]
}

# Provider 5.100 cannot set the transfer mode; CloudFormation can.
resource "aws_cloudformation_stack" "streaming" {
  count = var.streaming ? 1 : 0

  name = "${local.prefix}-streaming"

  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Streaming methods of ${local.prefix}"
    Resources                = local.stream_methods
  })
}
