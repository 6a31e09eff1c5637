# What serves: the version behind each alias, the runner's image and the release. A promotion and a rollback change traffic
# without Terraform, so the environment remembers in Parameter Store what serves. Terraform reads this as its defaults, so
# that an apply moves no traffic. While nothing is remembered, the newest version of each function serves.

locals {
  parameter_path    = "/${var.project_name}/${var.environment}"
  serving_parameter = "${local.parameter_path}/serving"
  release_parameter = "${local.parameter_path}/release"

  # Only a String is read here, never a secret, but the provider marks all values as sensitive.
  remembered = zipmap(data.aws_ssm_parameters_by_path.main.names, nonsensitive(data.aws_ssm_parameters_by_path.main.values))
  serving    = jsondecode(lookup(local.remembered, local.serving_parameter, "{}"))

  live_versions = merge(lookup(local.serving, "live_versions", {}), var.live_versions)
  release       = coalesce(var.release, lookup(local.remembered, local.release_parameter, "dev"))

  # Only dev deploys an image that nobody has named: test and prod run what was tested before.
  served_image = try(coalesce(var.runner_image, lookup(local.serving, "runner_image", null)), null)
  find_image   = !local.runner_on_lambda && local.served_image == null && var.environment == "dev"
  runner_image = local.find_image ? one(data.aws_ecr_image.newest[*].image_uri) : local.served_image
}

# Unlike aws_ssm_parameter, this does not fail at the first apply, when there is no parameter.
data "aws_ssm_parameters_by_path" "main" {
  path            = local.parameter_path
  with_decryption = false
}

# build-support/deploy/serving.py writes the value: {"live_versions": {"api": "12", …}, "runner_image": "…"}.
resource "aws_ssm_parameter" "serving" {
  name           = local.serving_parameter
  description    = "What ${local.prefix} serves; written by each promotion and rollback, read by Terraform"
  type           = "String"
  insecure_value = "{}"

  lifecycle {
    ignore_changes = [insecure_value]
  }
}

resource "aws_ssm_parameter" "release" {
  name           = local.release_parameter
  description    = "Release that was applied to ${local.prefix} last"
  type           = "String"
  insecure_value = local.release
}

data "aws_ecr_repository" "runner" {
  count = local.find_image ? 1 : 0
  name  = "${var.project_name}/runner"
}

data "aws_ecr_image" "newest" {
  count = local.find_image ? 1 : 0

  repository_name = data.aws_ecr_repository.runner[0].name
  most_recent     = true

  lifecycle {
    precondition {
      condition     = length(data.aws_ecr_repository.runner[0].most_recent_image_tags) > 0
      error_message = "The ECR repository ${var.project_name}/runner has no image yet. Push one (docs/runbook.md, \"Push the runner's image\"), or set runner_platform = \"lambda\" in environments/${var.environment}.tfvars if this account has no App Runner."
    }
  }
}
