# One REST API for all services: /{service} and everything below it goes to that service.

locals {
  cors = length(var.cors_origins) > 0

  # The services that web pages call. The others answer without CORS headers, so a preflight request is no use there.
  browsable = toset([for name in local.services : name if local.cors && try(local.declared[name].users, false)])

  # The operations of docs/openapi.json and their paths; build-support/contract writes the file.
  named = jsondecode(file("${path.module}/operations.json"))

  # Only the paths that end users call have an authorizer. Calls between services carry an API key and no user token.
  authorized = toset([
    for name in local.services : name if var.authorizer != null && try(local.declared[name].users, false)
  ])
  authorization = {
    for service in local.services : service => (
      !contains(local.authorized, service) ? "NONE" :
      try(var.authorizer.type, null) == "cognito" ? "COGNITO_USER_POOLS" : "CUSTOM"
    )
  }
}

resource "aws_api_gateway_rest_api" "main" {
  name        = local.prefix
  description = "Gateway of ${local.prefix}"

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

# --- Paths ---------------------------------------------------------------------------------------------------------

resource "aws_api_gateway_resource" "service" {
  for_each = local.services

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_rest_api.main.root_resource_id
  path_part   = each.key
}

resource "aws_api_gateway_resource" "proxy" {
  for_each = local.services

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.service[each.key].id
  path_part   = "{proxy+}"
}

# Canaries and the key rotation's test call /health without a user token, so this path has no authorizer.
resource "aws_api_gateway_resource" "health" {
  for_each = local.authorized

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.service[each.key].id
  path_part   = "health"
}

# Each operation has a resource and a method of its own, so that API Gateway counts and throttles it by itself, and other
# programs find it by its name. {proxy+} serves every other path, and every other method of these paths. A resource needs
# its parent's id: hence a block for each depth.

resource "aws_api_gateway_resource" "first" {
  for_each = local.named.paths["1"]

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.service[each.value.parent].id
  path_part   = each.value.part
}

resource "aws_api_gateway_resource" "second" {
  for_each = local.named.paths["2"]

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.first[each.value.parent].id
  path_part   = each.value.part
}

resource "aws_api_gateway_resource" "third" {
  for_each = local.named.paths["3"]

  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = aws_api_gateway_resource.second[each.value.parent].id
  path_part   = each.value.part
}

locals {
  named_resources = merge(
    aws_api_gateway_resource.first, aws_api_gateway_resource.second, aws_api_gateway_resource.third,
  )
  named_services = { for name, operation in local.named.operations : name => split("/", operation.path)[0] }
}

# --- Methods and integrations --------------------------------------------------------------------------------------

resource "aws_api_gateway_method" "service" {
  for_each = local.services

  rest_api_id      = aws_api_gateway_rest_api.main.id
  resource_id      = aws_api_gateway_resource.service[each.key].id
  http_method      = "ANY"
  authorization    = local.authorization[each.key]
  authorizer_id    = contains(local.authorized, each.key) ? aws_api_gateway_authorizer.main[0].id : null
  api_key_required = var.enable_service_api_keys
}

resource "aws_api_gateway_method" "proxy" {
  for_each = local.services

  rest_api_id      = aws_api_gateway_rest_api.main.id
  resource_id      = aws_api_gateway_resource.proxy[each.key].id
  http_method      = "ANY"
  authorization    = local.authorization[each.key]
  authorizer_id    = contains(local.authorized, each.key) ? aws_api_gateway_authorizer.main[0].id : null
  api_key_required = var.enable_service_api_keys

  request_parameters = { "method.request.path.proxy" = true }
}

resource "aws_api_gateway_method" "health" {
  for_each = local.authorized

  rest_api_id      = aws_api_gateway_rest_api.main.id
  resource_id      = aws_api_gateway_resource.health[each.key].id
  http_method      = "GET"
  authorization    = "NONE"
  api_key_required = var.enable_service_api_keys
}

resource "aws_api_gateway_method" "operation" {
  for_each = local.named.operations

  rest_api_id      = aws_api_gateway_rest_api.main.id
  resource_id      = local.named_resources[each.value.path].id
  http_method      = each.value.method
  operation_name   = each.key
  authorization    = local.authorization[local.named_services[each.key]]
  authorizer_id    = contains(local.authorized, local.named_services[each.key]) ? aws_api_gateway_authorizer.main[0].id : null
  api_key_required = var.enable_service_api_keys
}

locals {
  # Headers that the gateway adds to requests for the runner, replacing those that a client sent. API Gateway does not
  # forward its request id by itself.
  runner_headers = {
    "integration.request.header.x-origin-verify"  = "stageVariables.originVerify"
    "integration.request.header.x-amzn-requestid" = "context.requestId"
    "integration.request.header.x-api-key-id"     = "context.identity.apiKeyId"
  }
}

resource "aws_api_gateway_integration" "service" {
  for_each = local.services

  rest_api_id             = aws_api_gateway_rest_api.main.id
  resource_id             = aws_api_gateway_resource.service[each.key].id
  http_method             = aws_api_gateway_method.service[each.key].http_method
  integration_http_method = contains(keys(local.service_functions), each.key) ? "POST" : "ANY"
  type                    = contains(keys(local.service_functions), each.key) ? "AWS_PROXY" : "HTTP_PROXY"
  uri                     = try(local.service_functions[each.key].alias_invoke_arn, "${local.runner_url}/")
  request_parameters      = contains(keys(local.service_functions), each.key) ? null : local.runner_headers
}

resource "aws_api_gateway_integration" "proxy" {
  for_each = local.services

  rest_api_id             = aws_api_gateway_rest_api.main.id
  resource_id             = aws_api_gateway_resource.proxy[each.key].id
  http_method             = aws_api_gateway_method.proxy[each.key].http_method
  integration_http_method = contains(keys(local.service_functions), each.key) ? "POST" : "ANY"
  type                    = contains(keys(local.service_functions), each.key) ? "AWS_PROXY" : "HTTP_PROXY"
  uri                     = try(local.service_functions[each.key].alias_invoke_arn, "${local.runner_url}/{proxy}")
  request_parameters = contains(keys(local.service_functions), each.key) ? null : merge(
    local.runner_headers,
    { "integration.request.path.proxy" = "method.request.path.proxy" },
  )
}

resource "aws_api_gateway_integration" "health" {
  for_each = local.authorized

  rest_api_id             = aws_api_gateway_rest_api.main.id
  resource_id             = aws_api_gateway_resource.health[each.key].id
  http_method             = aws_api_gateway_method.health[each.key].http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = local.service_functions[each.key].alias_invoke_arn
}

resource "aws_api_gateway_integration" "operation" {
  for_each = local.named.operations

  rest_api_id             = aws_api_gateway_rest_api.main.id
  resource_id             = local.named_resources[each.value.path].id
  http_method             = aws_api_gateway_method.operation[each.key].http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = local.service_functions[local.named_services[each.key]].alias_invoke_arn
}

resource "aws_lambda_permission" "gateway" {
  for_each = local.service_functions

  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function_name
  qualifier     = each.value.alias_name
  principal     = "apigateway.amazonaws.com"
  # Any stage and method, but this service's paths only.
  source_arn = "${aws_api_gateway_rest_api.main.execution_arn}/*/*/${each.key}*"
}

# --- Browsers ------------------------------------------------------------------------------------------------------

# A CORS preflight request carries neither API key nor token. The gateway answers OPTIONS itself and requires neither. A
# named path has no OPTIONS, so {proxy+} answers for it too.

locals {
  # What a page may send, and what it may read beside the body. backend/api/app.py and the local estate use the same lists.
  cors_headers = "authorization,content-type,idempotency-key,x-api-key,x-request-id"
  cors_exposed = "location,retry-after,x-request-id"
}

resource "aws_api_gateway_method" "preflight" {
  for_each = local.browsable

  rest_api_id      = aws_api_gateway_rest_api.main.id
  resource_id      = aws_api_gateway_resource.proxy[each.key].id
  http_method      = "OPTIONS"
  authorization    = "NONE"
  api_key_required = false
}

resource "aws_api_gateway_integration" "preflight" {
  for_each = local.browsable

  rest_api_id = aws_api_gateway_rest_api.main.id
  resource_id = aws_api_gateway_resource.proxy[each.key].id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  type        = "MOCK"

  request_templates = { "application/json" = jsonencode({ statusCode = 204 }) }
}

resource "aws_api_gateway_method_response" "preflight" {
  for_each = local.browsable

  rest_api_id = aws_api_gateway_rest_api.main.id
  resource_id = aws_api_gateway_resource.proxy[each.key].id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  status_code = "204"

  response_parameters = {
    "method.response.header.Access-Control-Allow-Headers" = true
    "method.response.header.Access-Control-Allow-Methods" = true
    "method.response.header.Access-Control-Allow-Origin"  = true
    "method.response.header.Access-Control-Max-Age"       = true
    "method.response.header.Vary"                         = true
  }
}

resource "aws_api_gateway_integration_response" "preflight" {
  for_each = local.browsable

  rest_api_id = aws_api_gateway_rest_api.main.id
  resource_id = aws_api_gateway_resource.proxy[each.key].id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  status_code = aws_api_gateway_method_response.preflight[each.key].status_code

  response_parameters = {
    "method.response.header.Access-Control-Allow-Headers" = "'${local.cors_headers}'"
    "method.response.header.Access-Control-Allow-Methods" = "'GET,POST,PUT,PATCH,DELETE,OPTIONS'"
    "method.response.header.Access-Control-Allow-Origin"  = "'${try(var.cors_origins[0], "")}'"
    "method.response.header.Access-Control-Max-Age"       = "'3600'"
    "method.response.header.Vary"                         = "'Origin'"
  }

  # response_parameters allows one value a header. The template replaces it by the caller's origin if cors_origins lists
  # that origin.
  response_templates = {
    "application/json" = <<-EOT
      #set($origin = $input.params().header.get("origin"))
      #if(!$origin)#set($origin = $input.params().header.get("Origin"))#end
      #if(${jsonencode(var.cors_origins)}.contains($origin))
      #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)
      #end
    EOT
  }

  depends_on = [aws_api_gateway_integration.preflight]
}

# --- Error responses of the gateway --------------------------------------------------------------------------------

# The bodies are AWS's, since clients know them; only headers are added. Without the CORS header, a browser reports a
# CORS failure instead of the gateway's error (wrong key, quota exceeded).
resource "aws_api_gateway_gateway_response" "main" {
  for_each = toset(["DEFAULT_4XX", "DEFAULT_5XX"])

  rest_api_id   = aws_api_gateway_rest_api.main.id
  response_type = each.key

  response_templates = {
    "application/json" = "{\"message\":$context.error.messageString}"
  }

  response_parameters = merge(
    { "gatewayresponse.header.x-request-id" = "context.requestId" },
    local.cors ? {
      "gatewayresponse.header.Access-Control-Allow-Origin"   = length(var.cors_origins) == 1 ? "'${var.cors_origins[0]}'" : "'*'"
      "gatewayresponse.header.Access-Control-Expose-Headers" = "'${local.cors_exposed}'"
    } : {},
  )
}

# --- End users -----------------------------------------------------------------------------------------------------

resource "aws_api_gateway_authorizer" "main" {
  count = var.authorizer == null ? 0 : 1

  name                             = "${local.prefix}-users"
  rest_api_id                      = aws_api_gateway_rest_api.main.id
  type                             = var.authorizer.type == "cognito" ? "COGNITO_USER_POOLS" : "TOKEN"
  provider_arns                    = var.authorizer.type == "cognito" ? var.authorizer.user_pool_arns : null
  authorizer_uri                   = var.authorizer.type == "jwt" ? "arn:${local.partition}:apigateway:${var.aws_region}:lambda:path/2015-03-31/functions/${var.authorizer.function_arn}/invocations" : null
  authorizer_result_ttl_in_seconds = 300
}

resource "aws_lambda_permission" "authorizer" {
  count = try(var.authorizer.type, null) == "jwt" ? 1 : 0

  statement_id  = "${local.prefix}-authorizer"
  action        = "lambda:InvokeFunction"
  function_name = var.authorizer.function_arn
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.main.execution_arn}/authorizers/${aws_api_gateway_authorizer.main[0].id}"
}

# --- Deployment and stage ------------------------------------------------------------------------------------------

resource "aws_api_gateway_deployment" "main" {
  rest_api_id = aws_api_gateway_rest_api.main.id

  triggers = {
    # Only the attributes that define a route. Whole resources differ after a refresh (null becomes {}), so every second
    # apply would redeploy. A timestamp would redeploy at every apply.
    routes = sha256(jsonencode({
      methods = [
        for method in concat(
          values(aws_api_gateway_method.service), values(aws_api_gateway_method.proxy),
          values(aws_api_gateway_method.health), values(aws_api_gateway_method.preflight),
          values(aws_api_gateway_method.operation),
        ) : [method.id, method.authorization, method.api_key_required]
      ]
      integrations = [
        for integration in concat(
          values(aws_api_gateway_integration.service), values(aws_api_gateway_integration.proxy),
          values(aws_api_gateway_integration.health), values(aws_api_gateway_integration.preflight),
          values(aws_api_gateway_integration.operation),
        ) : [integration.id, integration.uri, integration.type]
      ]
      streams    = local.stream_methods
      authorizer = aws_api_gateway_authorizer.main[*].id
      headers    = local.runner_headers
      origins    = [var.cors_origins, local.cors_headers]
      responses  = [for response in values(aws_api_gateway_gateway_response.main) : response.response_parameters]
    }))
  }

  depends_on = [aws_api_gateway_integration_response.preflight, aws_cloudformation_stack.streaming]

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.left_out) == 0
      error_message = "services.json declares ${join(", ", local.left_out)}: add the module to service_functions in services.tf."
    }
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${local.prefix}/access"
  retention_in_days = var.log_retention_days
}

resource "aws_api_gateway_stage" "main" {
  rest_api_id          = aws_api_gateway_rest_api.main.id
  deployment_id        = aws_api_gateway_deployment.main.id
  stage_name           = var.environment
  description          = "Stage of ${local.prefix}"
  xray_tracing_enabled = local.tracing

  variables = { for version in aws_secretsmanager_secret_version.runner_origin : "originVerify" => version.secret_string }

  # Requires the account's logging role, which bootstrap/ sets.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn

    format = jsonencode({
      request_id        = "$context.requestId"
      xray_trace_id     = "$context.xrayTraceId"
      timestamp         = "$context.requestTime"
      client_ip         = "$context.identity.sourceIp"
      api_key_id        = "$context.identity.apiKeyId"
      method            = "$context.httpMethod"
      path              = "$context.path"
      status            = "$context.status"
      response_bytes    = "$context.responseLength"
      latency_ms        = "$context.responseLatency"
      service_ms        = "$context.integrationLatency"
      service_status    = "$context.integrationStatus"
      error             = "$context.error.message"
      integration_error = "$context.integration.error"
      waf               = "$context.waf.status"
    })
  }
}

resource "aws_api_gateway_method_settings" "main" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.main.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false # Data traces write bodies and API keys to the log.
    throttling_rate_limit  = var.throttle.rate_limit
    throttling_burst_limit = var.throttle.burst_limit
  }
}

# API Gateway writes the slashes of a method's path as ~1.
locals {
  operation_throttles = merge([
    for name, limits in var.operation_throttles : {
      for path in [local.named.operations[name].path, "${local.named.operations[name].path}/stream"] :
      "~1${replace(path, "/", "~1")}/${local.named.operations[name].method}" => limits
      if path == local.named.operations[name].path || contains(keys(local.streams), path)
    }
  ]...)
}

resource "aws_api_gateway_method_settings" "operation" {
  for_each = local.operation_throttles

  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.main.stage_name
  method_path = each.key

  # A method with settings of its own takes none from "*/*".
  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false
    throttling_rate_limit  = each.value.rate_limit
    throttling_burst_limit = each.value.burst_limit
  }

  depends_on = [aws_api_gateway_method_settings.main] # API Gateway refuses two changes of a stage at once.
}

# --- Optional: firewall and domain ---------------------------------------------------------------------------------

resource "aws_wafv2_web_acl_association" "main" {
  count = var.waf_acl_arn == null ? 0 : 1

  resource_arn = aws_api_gateway_stage.main.arn
  web_acl_arn  = var.waf_acl_arn
}

resource "aws_api_gateway_domain_name" "main" {
  count = var.domain_name == null ? 0 : 1

  domain_name              = var.domain_name.name
  regional_certificate_arn = var.domain_name.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "main" {
  count = var.domain_name == null ? 0 : 1

  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.main.stage_name
  domain_name = aws_api_gateway_domain_name.main[0].domain_name
}

resource "aws_route53_record" "main" {
  count = try(var.domain_name.zone_id, null) == null ? 0 : 1

  zone_id = var.domain_name.zone_id
  name    = var.domain_name.name
  type    = "A"

  alias {
    name                   = aws_api_gateway_domain_name.main[0].regional_domain_name
    zone_id                = aws_api_gateway_domain_name.main[0].regional_zone_id
    evaluate_target_health = false
  }
}
