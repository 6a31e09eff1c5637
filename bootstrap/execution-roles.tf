# The roles that the services run as. They are created here under a permissions boundary, so that the deploy role needs no
# permission to create roles. The application layer attaches each service's own policies.

locals {
  # All roles of all environments, by name.
  execution_roles = merge(
    var.enable_lambda ? {
      for pair in setproduct(local.environments, keys(local.declared)) :
      "${local.prefixes[pair[0]]}-lambda-${pair[1]}" => {
        environment = pair[0]
        principal   = "lambda.amazonaws.com"
        description = "Lambda function ${pair[1]} of ${pair[0]}"
      }
    } : {},
    var.enable_apprunner ? {
      for pair in setproduct(var.environments, local.containers) :
      "${local.prefixes[pair[0]]}-apprunner-${pair[1]}" => {
        environment = pair[0]
        principal   = "tasks.apprunner.amazonaws.com"
        description = "App Runner service ${pair[1]} of ${pair[0]}"
      }
    } : {},
    var.enable_apprunner ? {
      for environment in var.environments :
      "${local.prefixes[environment]}-apprunner-image" => {
        environment = environment
        principal   = "build.apprunner.amazonaws.com"
        description = "App Runner pulls the runner's image for ${environment}"
      }
    } : {},
    {
      for environment in local.environments :
      "${local.prefixes[environment]}-scheduler" => {
        environment = environment
        principal   = "scheduler.amazonaws.com"
        description = "EventBridge Scheduler invokes functions of ${environment}"
      }
    },
  )
}

resource "aws_iam_role" "execution" {
  for_each = local.execution_roles

  name                 = each.key
  description          = each.value.description
  permissions_boundary = aws_iam_policy.boundary[each.value.environment].arn
  tags                 = { Environment = each.value.environment }

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = { Service = each.value.principal }
        Action    = "sts:AssumeRole"
      },
      # Only EventBridge Scheduler sends the account that it acts for; Lambda and App Runner do not.
      each.value.principal == "scheduler.amazonaws.com" ? {
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      } : {},
    )]
  })
}

# Defined here instead of in the application layer, because the repository belongs to bootstrap.
resource "aws_iam_policy" "pull_image" {
  count = var.enable_apprunner ? 1 : 0

  name        = "${var.project_name}-apprunner-image"
  path        = "/${var.project_name}/bootstrap/"
  description = "App Runner pulls this project's images"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "PullImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer",
        ]
        Resource = "${local.arn.ecr}:repository/${var.project_name}/*"
      },
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*" # This action supports no resource-level permissions.
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "pull_image" {
  for_each = var.enable_apprunner ? local.shared_prefixes : {}

  role       = aws_iam_role.execution["${each.value}-apprunner-image"].name
  policy_arn = aws_iam_policy.pull_image[0].arn
}

# The permissions boundary of all execution roles of an environment: attached policies cannot grant more.
resource "aws_iam_policy" "boundary" {
  for_each = local.prefixes

  name        = "${each.value}-boundary"
  path        = "/${var.project_name}/bootstrap/"
  description = "The most that an execution role of ${each.key} may do"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.arn.logs}:log-group:/aws/lambda/${each.value}-*"
      },
      {
        Sid    = "Trace"
        Effect = "Allow"
        Action = [
          "xray:GetSamplingRules",
          "xray:GetSamplingTargets",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ]
        Resource = "*" # These actions support no resource-level permissions.
      },
      {
        Sid    = "Secrets"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue",
          "secretsmanager:UpdateSecretVersionStage",
        ]
        Resource = "${local.arn.secretsmanager}:secret:${var.project_name}/${each.key}/*"
      },
      {
        Sid      = "KeyIds"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:PutParameter"]
        Resource = "${local.arn.ssm}:parameter/${var.project_name}/${each.key}/api-key-ids"
      },
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        Resource = ["arn:${local.partition}:s3:::${each.value}-*", "arn:${local.partition}:s3:::${each.value}-*/*"]
      },
      {
        Sid      = "RecordVersions"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersion", "s3:ListBucketVersions"]
        Resource = ["arn:${local.partition}:s3:::${each.value}-records-*", "arn:${local.partition}:s3:::${each.value}-records-*/*"]
      },
      {
        # No service deletes a record, whatever is attached to its role.
        Sid      = "NoRecordDeleted"
        Effect   = "Deny"
        Action   = ["s3:DeleteObject"]
        Resource = "arn:${local.partition}:s3:::${each.value}-records-*/*"
      },
      {
        Sid    = "Vectors"
        Effect = "Allow"
        Action = [
          "s3vectors:DeleteVectors",
          "s3vectors:GetIndex",
          "s3vectors:GetVectors",
          "s3vectors:ListVectors",
          "s3vectors:PutVectors",
          "s3vectors:QueryVectors",
        ]
        Resource = "${local.arn.s3vectors}:bucket/${each.value}-*"
      },
      {
        Sid    = "Conversations"
        Effect = "Allow"
        Action = [
          "dynamodb:BatchGetItem",
          "dynamodb:BatchWriteItem",
          "dynamodb:DeleteItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ]
        Resource = "${local.arn.dynamodb}:table/${each.value}-*"
      },
      {
        Sid    = "Models"
        Effect = "Allow"
        Action = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
        # Any region: an inference profile routes requests to several regions, and the boundary has to allow all of them.
        Resource = [
          "arn:${local.partition}:bedrock:*::foundation-model/*",
          "arn:${local.partition}:bedrock:*:${local.account_id}:inference-profile/*",
        ]
      },
      {
        Sid      = "Guardrails"
        Effect   = "Allow"
        Action   = ["bedrock:ApplyGuardrail"]
        Resource = "arn:${local.partition}:bedrock:${var.aws_region}:${local.account_id}:guardrail/*"
      },
      {
        # The rotation function's. As for the deploy role, the tags tell the environments apart.
        Sid       = "MakeKeys"
        Effect    = "Allow"
        Action    = ["apigateway:POST"]
        Resource  = "${local.arn_apigateway}/apikeys"
        Condition = local.own_request[each.key]
      },
      {
        Sid       = "RotateKeys"
        Effect    = "Allow"
        Action    = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"]
        Resource  = ["${local.arn_apigateway}/apikeys/*", "${local.arn_apigateway}/usageplans/*"]
        Condition = local.own_resource[each.key]
      },
      {
        Sid       = "TagKeys"
        Effect    = "Allow"
        Action    = ["apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
        Resource  = ["${local.arn_apigateway}/apikeys/*", "${local.arn_apigateway}/tags/arn*apikeys*"]
        Condition = local.own_request[each.key]
      },
      {
        Sid      = "RunByTheClock"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = "${local.arn.lambda}:function:${each.value}-*"
      },
      {
        Sid    = "PullImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer",
        ]
        Resource = "${local.arn.ecr}:repository/${var.project_name}/*"
      },
      {
        Sid    = "LogInAndNetwork"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
          "ecr:GetAuthorizationToken",
        ]
        Resource = "*" # These actions cannot be restricted for a function in a VPC.
      },
    ]
  })
}
