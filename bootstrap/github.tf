# Who may deploy: workflows of one repository, in one GitHub environment for each role, without a stored credential.

locals {
  oidc_host = "token.actions.githubusercontent.com"
  oidc_arn  = var.create_github_oidc_provider ? aws_iam_openid_connect_provider.github[0].arn : "${local.arn_iam}:oidc-provider/${local.oidc_host}"

  # GitHub's subject has had three forms: by names, and for newer repositories by names and ids, joined by `@` or `-`.
  # Each is written out: a `*` in a subject would also match what somebody else can name.
  repository_subjects = [
    "repo:${var.github_owner}/${var.github_repository}",
    "repo:${var.github_owner}@${var.github_owner_id}/${var.github_repository}@${var.github_repository_id}",
    "repo:${var.github_owner}-${var.github_owner_id}/${var.github_repository}-${var.github_repository_id}",
  ]

  # Each role's GitHub environment.
  github_roles = merge({ for environment, prefix in local.prefixes : "${prefix}-deploy" => environment }, { "${var.project_name}-plan" = "plan" })

  trust_policies = {
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
            # Names can be given up and taken by others; an id cannot.
            "${local.oidc_host}:repository_id" = var.github_repository_id
          }
        }
      }]
    })
  }
}

# No thumbprint: AWS trusts GitHub's certificate by its authority and ignores one.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_github_oidc_provider ? 1 : 0

  url            = "https://${local.oidc_host}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  for_each = local.prefixes

  name                 = "${each.value}-deploy"
  description          = "GitHub's workflows deploy ${each.key}"
  assume_role_policy   = local.trust_policies["${each.value}-deploy"]
  permissions_boundary = aws_iam_policy.deploy_boundary[each.key].arn
  max_session_duration = 3600
  tags                 = { Environment = each.key }
}

resource "aws_iam_role" "plan" {
  name                 = "${var.project_name}-plan"
  description          = "GitHub's workflows plan, and change nothing"
  assume_role_policy   = local.trust_policies["${var.project_name}-plan"]
  max_session_duration = 3600
}
