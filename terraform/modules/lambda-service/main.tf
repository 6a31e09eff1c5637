# Looked up instead of built from its name, so that in an account without bootstrap/ already the plan fails.
data "aws_iam_role" "main" {
  name = var.role_name
}

# Created before the function: otherwise the first invocation creates the group without retention, and this resource fails.
resource "aws_cloudwatch_log_group" "main" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.settings.log_retention_days
}

resource "aws_lambda_function" "main" {
  function_name    = var.name
  role             = data.aws_iam_role.main.arn
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = "lambda_function.handler"
  runtime          = "python3.13"
  architectures    = [var.settings.architecture]
  layers           = var.settings.layers
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  publish          = true

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = var.settings.xray ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.settings.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # The policy must be attached as well, because the first cold start already writes to the log.
  depends_on = [aws_cloudwatch_log_group.main, aws_iam_role_policy_attachment.telemetry]
}

# Callers invoke the alias, so a deploy or a rollback changes only the version that the alias points to.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "Version that callers invoke"
  function_name    = aws_lambda_function.main.function_name
  function_version = coalesce(var.live_version, aws_lambda_function.main.version)
}

resource "aws_iam_policy" "telemetry" {
  name        = "${var.name}-telemetry"
  path        = var.settings.policy_path
  description = "Log, traces and network of ${var.name}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteOwnLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.main.arn}:log-stream:*"
      }],
      [for enabled in [var.settings.xray] : {
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        Resource = "*" # These actions support no resource-level permissions.
      } if enabled],
      [for vpc in var.settings.vpc[*] : {
        Sid    = "AttachToNetwork"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = "*" # Lambda checks these when it creates the function, for no particular network interface.
      }],
    )
  })
}

resource "aws_iam_role_policy_attachment" "telemetry" {
  role       = data.aws_iam_role.main.name
  policy_arn = aws_iam_policy.telemetry.arn
}
