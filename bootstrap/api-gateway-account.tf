# API Gateway writes the logs of all its APIs in an account and region with one role. Without it, AWS refuses a stage with
# logs.

resource "aws_iam_role" "api_gateway_logs" {
  count = var.enable_api_gateway_account ? 1 : 0

  name                 = "${var.project_name}-apigateway-logs"
  description          = "API Gateway writes its logs"
  permissions_boundary = aws_iam_policy.gateway_boundary[0].arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# API Gateway requires this AWS-managed policy. The boundary restricts it to writing logs.
resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  count = var.enable_api_gateway_account ? 1 : 0

  role       = aws_iam_role.api_gateway_logs[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_iam_policy" "gateway_boundary" {
  count = var.enable_api_gateway_account ? 1 : 0

  name        = "${var.project_name}-apigateway-boundary"
  path        = "/${var.project_name}/bootstrap/"
  description = "The most that API Gateway's logging role may do"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "WriteLogs"
      Effect = "Allow"
      Action = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
      ]
      # All APIs of the account use this role, not only this project's.
      Resource = "${local.arn.logs}:*"
    }]
  })
}

resource "aws_api_gateway_account" "main" {
  count = var.enable_api_gateway_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway_logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.api_gateway_logs]
}
