# The roles that GitHub's workflows assume by OIDC, without a stored credential. Each role trusts one GitHub environment of
# one repository. The deploy roles of developers' environments are assumed by the developers instead.

locals {
  oidc_host = "token.actions.githubusercontent.com"
  oidc_arn  = var.create_github_oidc_provider ? aws_iam_openid_connect_provider.github[0].arn : "${local.arn_iam}:oidc-provider/${local.oidc_host}"

  # The subject of GitHub's token has two forms: names only, or for newer repositories names and ids, joined by `@`. Both
  # are written out, because a `*` would also match repositories that somebody else can create. Ids joined by `-` are not
  # trusted: OWNER-1/NAME-2 is also how another owner's repository could be named.
  repository_subjects = [
    "repo:${var.github_owner}/${var.github_repository}",
    "repo:${var.github_owner}@${var.github_owner_id}/${var.github_repository}@${var.github_repository_id}",
  ]

  # The GitHub environment that each role trusts.
  github_roles = merge(
    { for environment, prefix in local.shared_prefixes : "${prefix}-deploy" => environment },
    { for environment, prefix in local.shared_prefixes : "${prefix}-drift" => "${environment}-drift" },
    { for role in local.pull_request_role : role => "plan" },
    { for role in local.prod_plan_role : role => "prod-plan" },
  )

  github_trust = {
    for role, environment in local.github_roles : role => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Federated = local.oidc_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "${local.oidc_host}:aud" = "sts.amazonaws.com"
            "${local.oidc_host}:sub" = [for subject in local.repository_subjects : "${subject}:environment:${environment}"]
            # A name can be released and taken by somebody else; an id cannot.
            "${local.oidc_host}:repository_id" = var.github_repository_id
          }
        }
      }]
    })
  }
}

# The deploy role of a developer's environment trusts the developer, and no workflow.
locals {
  developer_trust = {
    for environment, principals in var.developer_environments : "${local.prefixes[environment]}-deploy" => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { AWS = sort(principals) }
        Action    = "sts:AssumeRole"
      }]
    })
  }

  trust_policies = merge(local.github_trust, local.developer_trust)
}

# AWS verifies GitHub's certificate by its authority and ignores a thumbprint, so none is set.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_github_oidc_provider ? 1 : 0

  url            = "https://${local.oidc_host}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  for_each = local.prefixes

  name                 = "${each.value}-deploy"
  description          = "Assumed by ${contains(var.environments, each.key) ? "GitHub's workflows" : "a developer"} to deploy ${each.key}"
  assume_role_policy   = local.trust_policies["${each.value}-deploy"]
  permissions_boundary = aws_iam_policy.deploy_boundary[each.key].arn
  max_session_duration = 3600
  tags                 = { Environment = each.key }
}

resource "aws_iam_role" "plan" {
  for_each = toset(local.pull_request_role)

  name                 = each.key
  description          = "Assumed by GitHub's workflows to plan pull requests; may change nothing"
  assume_role_policy   = local.trust_policies[each.key]
  max_session_duration = 3600
}

# The drift report plans each environment with that environment's own role, which reads no other environment.
resource "aws_iam_role" "drift" {
  for_each = local.shared_prefixes

  name                 = "${each.value}-drift"
  description          = "Assumed by GitHub's workflows to compare ${each.key} with its release; may change nothing"
  assume_role_policy   = local.trust_policies["${each.value}-drift"]
  max_session_duration = 3600
  tags                 = { Environment = each.key }
}
