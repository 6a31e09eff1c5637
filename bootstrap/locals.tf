data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # Prefixes of ARNs, which keep the policies readable.
  arn = {
    for service in [
      "apprunner", "cloudformation", "cloudwatch", "dynamodb", "ecr", "lambda", "logs", "scheduler", "secretsmanager",
      "s3vectors", "sns", "ssm", "wafv2", "xray",
    ] : service => "arn:${local.partition}:${service}:${var.aws_region}:${local.account_id}"
  }
  arn_apigateway = "arn:${local.partition}:apigateway:${var.aws_region}::"
  arn_iam        = "arn:${local.partition}:iam::${local.account_id}"

  # services.json declares every service. A container can run as a function instead.
  declared     = { for name, service in jsondecode(file("${path.module}/../services.json")) : name => service if !startswith(name, "$") }
  containers   = toset([for name, service in local.declared : name if service.kind == "container"])
  repositories = coalesce(var.ecr_repositories, local.containers)

  # The ARN is built from the name, so that a plan contains the whole policies: tests evaluate them without an apply.
  state_bucket = "${var.project_name}-tfstate-${local.account_id}-${var.aws_region}"
  state_arn    = "arn:${local.partition}:s3:::${local.state_bucket}"

  # Of everybody and of developers. GitHub deploys the former, a developer deploys the latter.
  environments = setunion(var.environments, keys(var.developer_environments))

  # Environments that may be destroyed with their data at any time.
  disposable = setintersection(local.environments, concat(["dev"], keys(var.developer_environments)))

  # {project}-{environment}: the prefix of the name of every resource of an environment.
  prefixes        = { for environment in local.environments : environment => "${var.project_name}-${environment}" }
  shared_prefixes = { for environment in var.environments : environment => local.prefixes[environment] }
}
