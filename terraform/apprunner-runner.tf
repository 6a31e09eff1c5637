# runner: on App Runner, or as a fourth function where runner_platform says so. Its permissions are the same in both.

locals {
  runner_role_name = local.runner_on_lambda ? module.runner[0].role_name : data.aws_iam_role.runner[0].name
  runner_url       = local.runner_on_lambda ? null : "https://${aws_apprunner_service.runner[0].service_url}"

  runner_environment = merge(local.common_environment, {
    SERVICE_NAME     = "runner"
    JOBS_BUCKET_NAME = local.jobs_bucket_name
  })

  # Where the origin secret is: its six random characters are what the `*` stands for.
  runner_origin_secret_name = "${var.project_name}/${var.environment}/runner/origin"
  runner_origin_secret_arn  = "arn:${local.partition}:secretsmanager:${var.aws_region}:${local.account_id}:secret:${local.runner_origin_secret_name}-*"
}

# --- App Runner ----------------------------------------------------------------------------------------------------

data "aws_iam_role" "runner" {
  count = local.runner_on_lambda ? 0 : 1
  name  = "${local.prefix}-apprunner-runner"
}

data "aws_iam_role" "runner_image" {
  count = local.runner_on_lambda ? 0 : 1
  name  = "${local.prefix}-apprunner-image"
}

resource "aws_apprunner_auto_scaling_configuration_version" "runner" {
  count = local.runner_on_lambda ? 0 : 1

  auto_scaling_configuration_name = "${local.prefix}-runner"
  min_size                        = 1
  max_size                        = 5
  max_concurrency                 = 25

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apprunner_observability_configuration" "runner" {
  count = local.runner_on_lambda || !local.tracing ? 0 : 1

  observability_configuration_name = "${local.prefix}-runner"

  trace_configuration {
    vendor = "AWSXRAY"
  }
}

resource "aws_apprunner_vpc_connector" "runner" {
  count = local.runner_on_lambda || var.vpc_config == null ? 0 : 1

  vpc_connector_name = "${local.prefix}-runner"
  subnets            = var.vpc_config.subnet_ids
  security_groups    = var.vpc_config.security_group_ids
}

resource "aws_apprunner_service" "runner" {
  count = local.runner_on_lambda ? 0 : 1

  service_name                   = "${local.prefix}-runner"
  auto_scaling_configuration_arn = aws_apprunner_auto_scaling_configuration_version.runner[0].arn

  source_configuration {
    auto_deployments_enabled = false

    authentication_configuration {
      access_role_arn = data.aws_iam_role.runner_image[0].arn
    }

    image_repository {
      image_identifier      = var.runner_image
      image_repository_type = "ECR"

      image_configuration {
        port = "8080"

        # No SERVICE_VERSION: the pipeline applies before it moves the image, so the old image would restart at each
        # release, under the new one's name. The image's tag in ECR is the release.
        runtime_environment_variables = merge(local.runner_environment, {
          AWS_REGION         = var.aws_region
          AWS_DEFAULT_REGION = var.aws_region
          ENABLE_TRACING     = tostring(local.tracing)
          OTLP_ENDPOINT      = "http://localhost:4317" # App Runner's collector, gRPC only.
          ORIGIN_CHECK       = "true"
        })
      }
    }
  }

  instance_configuration {
    cpu               = "1024"
    memory            = "2048"
    instance_role_arn = data.aws_iam_role.runner[0].arn
  }

  health_check_configuration {
    protocol            = "HTTP"
    path                = "/health"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 1
    unhealthy_threshold = 5
  }

  # Public, since a REST API of API Gateway reaches nothing else without a load balancer: hence the origin secret.
  network_configuration {
    ingress_configuration {
      is_publicly_accessible = true
    }

    egress_configuration {
      egress_type       = var.vpc_config == null ? "DEFAULT" : "VPC"
      vpc_connector_arn = one(aws_apprunner_vpc_connector.runner[*].arn)
    }
  }

  observability_configuration {
    observability_enabled           = local.tracing
    observability_configuration_arn = one(aws_apprunner_observability_configuration.runner[*].arn)
  }

  # The first instance must be able to read what it needs before it is called healthy.
  depends_on = [
    aws_iam_role_policy_attachment.apprunner_runner_secrets,
    aws_iam_role_policy_attachment.runner_jobs,
    aws_secretsmanager_secret_version.runner_origin,
  ]
}

# --- Origin secret -------------------------------------------------------------------------------------------------

# App Runner's URL is open to everybody. The gateway's integration sends this value, and the runner accepts nobody
# without it. It is no API key: rotating one must not take the runner down.
#
# To change it: terraform apply -replace='aws_secretsmanager_secret_version.runner_origin[0]'. The runner goes on
# accepting the previous value.

data "aws_secretsmanager_random_password" "runner_origin" {
  count = local.runner_on_lambda ? 0 : 1

  password_length     = 48
  exclude_punctuation = true # A stage variable takes few of them.
}

resource "aws_secretsmanager_secret" "runner_origin" {
  count = local.runner_on_lambda ? 0 : 1

  name                    = local.runner_origin_secret_name
  description             = "What the gateway shows to the runner of ${local.prefix}"
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "runner_origin" {
  count = local.runner_on_lambda ? 0 : 1

  secret_id     = aws_secretsmanager_secret.runner_origin[0].id
  secret_string = data.aws_secretsmanager_random_password.runner_origin[0].random_password

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [secret_string, version_stages] # Each plan draws a new one.
  }
}

# --- Lambda --------------------------------------------------------------------------------------------------------

module "runner" {
  source = "./modules/lambda-service"
  count  = local.runner_on_lambda ? 1 : 0

  name                 = "${local.prefix}-runner"
  role_name            = "${local.prefix}-lambda-runner"
  package              = "${var.package_dir}/runner.zip"
  settings             = local.lambda_settings
  memory_mb            = 2048
  reserved_concurrency = lookup(var.reserved_concurrency, "runner", null)
  live_version         = lookup(var.live_versions, "runner", null)

  environment = merge(local.lambda_environment, local.runner_environment, {
    ORIGIN_CHECK = "false" # No public URL, nothing to check.
  })
}

# --- Permissions ---------------------------------------------------------------------------------------------------

resource "aws_iam_policy" "apprunner_runner_secrets" {
  name        = "${local.prefix}-${local.runner_on_lambda ? "lambda" : "apprunner"}-runner-secrets"
  path        = local.policy_path
  description = "runner reads its own API key and its origin secret"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "ReadOwnKey"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.own_key_arns["runner"]
      }],
      [for on_lambda in [local.runner_on_lambda] : {
        Sid      = "ReadOwnOriginSecret"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.runner_origin_secret_arn
      } if !on_lambda],
    )
  })
}

resource "aws_iam_role_policy_attachment" "apprunner_runner_secrets" {
  role       = local.runner_role_name
  policy_arn = aws_iam_policy.apprunner_runner_secrets.arn
}

resource "aws_iam_policy" "runner_jobs" {
  name        = "${local.prefix}-runner-jobs"
  path        = local.policy_path
  description = "runner keeps its jobs and reads the documents uploaded for them"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "KeepJobs"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "arn:${local.partition}:s3:::${local.jobs_bucket_name}/jobs/*"
      },
      {
        Sid      = "ReadUploads"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = "arn:${local.partition}:s3:::${local.jobs_bucket_name}/uploads/*"
      },
      {
        Sid      = "ListBoth"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = "arn:${local.partition}:s3:::${local.jobs_bucket_name}"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "runner_jobs" {
  role       = local.runner_role_name
  policy_arn = aws_iam_policy.runner_jobs.arn
}

# On Lambda the module grants this.
resource "aws_iam_policy" "runner_traces" {
  count = local.runner_on_lambda || !local.tracing ? 0 : 1

  name        = "${local.prefix}-apprunner-runner-traces"
  path        = local.policy_path
  description = "App Runner's collector writes the runner's traces"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "WriteTraces"
      Effect = "Allow"
      Action = [
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
      ]
      Resource = "*" # X-Ray knows no resource for these.
    }]
  })
}

resource "aws_iam_role_policy_attachment" "runner_traces" {
  count = local.runner_on_lambda || !local.tracing ? 0 : 1

  role       = local.runner_role_name
  policy_arn = aws_iam_policy.runner_traces[0].arn
}
