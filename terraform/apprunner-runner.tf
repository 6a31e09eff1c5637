# runner: on App Runner, or on Lambda if runner_platform is "lambda". Its permissions are the same on both.

locals {
  runner_role_name = local.runner_on_lambda ? module.runner[0].role_name : data.aws_iam_role.runner[0].name
  runner_url       = local.runner_on_lambda ? null : "https://${aws_apprunner_service.runner[0].service_url}"

  runner_environment = merge(local.common_environment, local.access_environment["runner"], {
    SERVICE_NAME     = "runner"
    JOBS_BUCKET_NAME = local.jobs_bucket_name
  })

  # The `*` matches the six random characters that Secrets Manager appends to the ARN.
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
      image_identifier      = local.runner_image
      image_repository_type = "ECR"

      image_configuration {
        port = "8080"

        # SERVICE_VERSION is left out: the pipeline applies Terraform before it changes the image, so the old image would
        # restart and report the new release. The image's tag in ECR names its release.
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
    memory            = tostring(local.declared.runner.memory_mb)
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

  # A REST API of API Gateway reaches a private service through a load balancer only. So the URL is public, and the
  # runner checks the origin secret.
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

  lifecycle {
    precondition {
      condition     = local.runner_image != null
      error_message = "App Runner needs an image, and ${var.environment} serves none yet: pass -var=runner_image=REPOSITORY@sha256:DIGEST for this first apply, or set runner_platform = \"lambda\" in environments/${var.environment}.tfvars if this account has no App Runner."
    }
  }

  # The first instance becomes healthy only if it can read its secrets and its bucket.
  depends_on = [
    aws_iam_role_policy_attachment.apprunner_runner_secrets,
    aws_iam_role_policy_attachment.runner_jobs,
    aws_secretsmanager_secret_version.runner_origin,
  ]
}

# --- Origin secret -------------------------------------------------------------------------------------------------

# App Runner's URL is public. The gateway sends this value in a header, and the runner rejects requests without it. The
# value is not an API key, so that rotating a key cannot take the runner down.
#
# To change it: terraform apply -replace='aws_secretsmanager_secret_version.runner_origin[0]'. The runner still accepts
# the previous value.

data "aws_secretsmanager_random_password" "runner_origin" {
  count = local.runner_on_lambda ? 0 : 1

  password_length     = 48
  exclude_punctuation = true # Stage variables allow few punctuation characters.
}

resource "aws_secretsmanager_secret" "runner_origin" {
  count = local.runner_on_lambda ? 0 : 1

  name                    = local.runner_origin_secret_name
  description             = "Value that proves to the runner of ${local.prefix} that a request came through the gateway"
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "runner_origin" {
  count = local.runner_on_lambda ? 0 : 1

  secret_id     = aws_secretsmanager_secret.runner_origin[0].id
  secret_string = data.aws_secretsmanager_random_password.runner_origin[0].random_password

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [secret_string, version_stages] # Every plan reads a new random password.
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
  memory_mb            = local.declared.runner.memory_mb
  timeout_seconds      = local.declared.runner.timeout_s
  reserved_concurrency = lookup(var.reserved_concurrency, "runner", null)
  live_version         = lookup(local.live_versions, "runner", null)

  environment = merge(local.lambda_environment, local.runner_environment, {
    ORIGIN_CHECK = "false" # A function has no public URL.
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
      [local.read_key_ids, {
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
        # It signs the URLs to which clients put their files, so S3 checks its own right to put them.
        Sid      = "SignUploads"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "arn:${local.partition}:s3:::${local.jobs_bucket_name}/incoming/*"
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

# On Lambda, modules/lambda-service grants this.
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
      Resource = "*" # These actions support no resource-level permissions.
    }]
  })
}

resource "aws_iam_role_policy_attachment" "runner_traces" {
  count = local.runner_on_lambda || !local.tracing ? 0 : 1

  role       = local.runner_role_name
  policy_arn = aws_iam_policy.runner_traces[0].arn
}
