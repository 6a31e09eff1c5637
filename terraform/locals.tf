data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  prefix     = "${var.project_name}-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # The deploy role may write policies under this path only.
  policy_path = "/${var.project_name}/${var.environment}/"

  # The deploy role may create and change resources with the tags of its environment only, so var.tags cannot replace them.
  tags = merge(var.tags, {
    Project     = var.project_name
    Environment = var.environment
    ManagedBy   = "terraform"
  })

  runner_on_lambda = var.runner_platform == "lambda"

  # Built from the API's id. Reading it from the stage or the deployment would be a cycle: both depend on the functions,
  # and the functions' environment contains this URL.
  api_gateway_url = "https://${aws_api_gateway_rest_api.main.id}.execute-api.${var.aws_region}.${data.aws_partition.current.dns_suffix}/${var.environment}"

  # Each service may read its own key only. The last `*` matches the six characters that Secrets Manager appends.
  own_key_arns = {
    for service, declared in local.declared : service =>
    "arn:${local.partition}:secretsmanager:${var.aws_region}:${local.account_id}:secret:${var.project_name}/${var.environment}/${service}/api-key-*"
    if declared.key
  }
}

# --- Tracing -------------------------------------------------------------------------------------------------------

locals {
  tracing = var.tracing_mode != "off"

  # AWS publishes the legacy ADOT layers from this account, in these regions only.
  adot_account = "901920570463"
  adot_regions = [
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
  ]
  adot_architecture = var.architecture == "arm64" ? "arm64" : "amd64"
  adot_layers = {
    sdk  = "aws-otel-collector-${local.adot_architecture}-ver-0-117-0:1"
    auto = "aws-otel-python-${local.adot_architecture}-ver-1-32-0:2"
  }
  layers = [
    for mode, layer in local.adot_layers :
    coalesce(var.adot_layer_arn, "arn:${local.partition}:lambda:${var.aws_region}:${local.adot_account}:layer:${layer}")
    if mode == var.tracing_mode
  ]

  # HTTP on 4318, not gRPC on 4317: the collector serves both, and gRPC would add 7 MB to each zip.
  tracing_environment = {
    sdk = {
      OTLP_ENDPOINT = "http://localhost:4318"
    }
    auto = {
      OTLP_ENDPOINT               = "http://localhost:4318"
      AWS_LAMBDA_EXEC_WRAPPER     = "/opt/otel-instrument"
      OTEL_EXPORTER_OTLP_PROTOCOL = "http/protobuf"
      # xray-lambda reads the trace id that the Lambda runtime sets; xray reads headers only.
      OTEL_PROPAGATORS = "tracecontext,baggage,xray-lambda"
      # The layer's FastAPI instrumentation is too old for the zip's FastAPI and fails at every request. The shared library
      # creates the span instead.
      OTEL_PYTHON_DISABLED_INSTRUMENTATIONS = "fastapi"
      # The wrapper flushes before each response is sent, for at most 250 ms. With the default of 30 s, every request would
      # wait that long while the collector fails. Spans that are not sent in time are sent in the background.
      OTEL_EXPORTER_OTLP_TIMEOUT                    = "1"
      OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT = "250"
      # The wrapper exports no metrics and no logs: the collector's configuration prints metrics and drops logs.
      OTEL_METRICS_EXPORTER = "none"
      OTEL_LOGS_EXPORTER    = "none"
    }
    # Lambda runs the X-Ray daemon beside every traced function.
    udp = {
      OTLP_ENDPOINT = "udp://localhost:2000"
    }
    off = {}
  }
}

# --- Settings of all services --------------------------------------------------------------------------------------

locals {
  common_environment = {
    PROJECT_NAME            = var.project_name
    ENVIRONMENT             = var.environment
    LOG_LEVEL               = var.log_level
    API_GATEWAY_URL         = local.api_gateway_url
    ENABLE_SERVICE_API_KEYS = tostring(var.enable_service_api_keys)
  }

  lambda_environment = merge(
    local.common_environment,
    {
      ENABLE_TRACING  = tostring(local.tracing)
      SERVICE_VERSION = local.release # Reported by /api/status and by each span.
    },
    local.tracing_environment[var.tracing_mode],
  )

  lambda_settings = {
    policy_path        = local.policy_path
    architecture       = var.architecture
    layers             = local.layers
    xray               = local.tracing
    log_retention_days = var.log_retention_days
    vpc                = var.vpc_config
  }
}

# --- Bedrock -------------------------------------------------------------------------------------------------------

locals {
  # An inference profile routes a request to any of its regions, so chat needs permission for the model in all of them.
  profile_regions = {
    us     = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"]
    eu     = ["eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"]
    apac   = ["ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-4"]
    jp     = ["ap-northeast-1", "ap-northeast-3"]
    au     = ["ap-southeast-2", "ap-southeast-4"]
    us-gov = ["us-gov-east-1", "us-gov-west-1"]
    # A global profile uses the model's ARN without a region, and the one of the calling region.
    global = ["", var.aws_region]
  }
  profile_prefix = split(".", var.chat_model_id)[0]
  chat_profile   = contains(keys(local.profile_regions), local.profile_prefix)
  chat_model     = local.chat_profile ? trimprefix(var.chat_model_id, "${local.profile_prefix}.") : var.chat_model_id
  chat_regions = (
    var.chat_model_regions != null ? var.chat_model_regions :
    toset(local.chat_profile ? local.profile_regions[local.profile_prefix] : [var.aws_region])
  )

  chat_model_arns = concat(
    local.chat_profile ? ["arn:${local.partition}:bedrock:${var.aws_region}:${local.account_id}:inference-profile/${var.chat_model_id}"] : [],
    [for region in local.chat_regions : "arn:${local.partition}:bedrock:${region}::foundation-model/${local.chat_model}"],
  )
}
