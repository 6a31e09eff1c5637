# Offline: the provider is mocked. `override_during = plan` gives a plan the values that an apply would compute.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = {
      partition  = "aws"
      dns_suffix = "amazonaws.com"
    }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::fin-advisor-tfstate-123456789012-us-east-1" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
}

variables {
  github_owner         = "acme"
  github_repository    = "fin-advisor"
  github_owner_id      = "11"
  github_repository_id = "22"
}

run "state" {
  command = plan

  assert {
    condition     = output.state_bucket == "fin-advisor-tfstate-123456789012-us-east-1" && aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "The state bucket is versioned, and its name contains account and region."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256" && aws_s3_bucket_public_access_block.state.restrict_public_buckets
    error_message = "The state bucket is encrypted and not public."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "The state bucket answers over TLS only."
  }

  assert {
    condition     = !aws_s3_bucket.state.force_destroy
    error_message = "Terraform does not destroy the states unless force_destroy is set."
  }

  assert {
    condition     = strcontains(output.backend_files["../terraform/environments/prod.s3.tfbackend"], "key          = \"prod/terraform.tfstate\"") && strcontains(output.backend_files["accounts/main.s3.tfbackend"], "bootstrap/terraform.tfstate")
    error_message = "Each environment has its own state, and so has this layer."
  }
}

run "trust" {
  command = plan

  assert {
    condition     = keys(output.deploy_role_arns) == ["dev", "prod", "test"] && aws_iam_role.deploy["prod"].name == "fin-advisor-prod-deploy" && keys(aws_iam_role.plan) == ["fin-advisor-plan"] && keys(aws_iam_role.prod_plan) == ["fin-advisor-prod-plan"]
    error_message = "There is a deploy role for each environment, one for the plans of pull requests, and one for the plans of prod."
  }

  assert {
    condition = jsondecode(aws_iam_role.deploy["prod"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == [
      "repo:acme/fin-advisor:environment:prod",
      "repo:acme@11/fin-advisor@22:environment:prod",
    ]
    error_message = "The old form of GitHub's subject and the new one with @ are trusted, for this repository and environment only."
  }

  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.deploy), values(aws_iam_role.plan), values(aws_iam_role.prod_plan)) : !strcontains(role.assume_role_policy, "*") && jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:repository_id"] == "22"])
    error_message = "A trust policy contains no pattern, and names the repository by its id."
  }

  assert {
    condition = {
      for role in concat(values(aws_iam_role.plan), values(aws_iam_role.prod_plan)) :
      role.name => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"][0]
      } == {
      fin-advisor-plan      = "repo:acme/fin-advisor:environment:plan"
      fin-advisor-prod-plan = "repo:acme/fin-advisor:environment:prod-plan"
    }
    error_message = "Pull requests run in an environment of their own, so that none of them assumes the role that plans prod."
  }
}

run "policies" {
  command = plan

  assert {
    condition = toset([for name in keys(aws_iam_policy.deploy) : trimprefix(name, "fin-advisor-dev-deploy-") if startswith(name, "fin-advisor-dev-")]) == toset([
      "api-gateway", "apprunner", "bedrock", "events", "iam", "lambda", "logs", "s3-vectors", "secrets", "state",
    ])
    error_message = "There is a policy for each of requirements.md's seven groups, and for secrets, iam and events."
  }

  assert {
    # AWS's limits: 6,144 characters a policy, 10 policies a role.
    condition = alltrue([
      for policy in concat(values(aws_iam_policy.deploy), values(aws_iam_policy.plan), values(aws_iam_policy.deploy_boundary), values(aws_iam_policy.boundary)) :
      length(policy.policy) <= 6144
    ]) && length(aws_iam_policy.deploy) == 3 * 10 && alltrue([for role in keys(local.plan_roles) : length([for policy in local.plan_policies : policy if policy.role == role]) <= 10])
    error_message = "A policy, or the number of policies, exceeds AWS's limit."
  }

  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_policy.deploy), values(aws_iam_policy.plan), values(aws_iam_policy.deploy_boundary), values(aws_iam_policy.boundary)) : [
        for statement in jsondecode(policy.policy).Statement :
        statement.Effect == "Deny" || !contains(flatten([statement.Action]), "*")
      ]
    ]))
    error_message = "No statement may allow every action."
  }

  assert {
    # Unlike a boundary, these policies contain no service-wide action.
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_policy.deploy), values(aws_iam_policy.plan)) : [
        for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "Each action that a deploy is granted is written out."
  }

  assert {
    condition = alltrue(flatten([
      for name, policy in aws_iam_policy.deploy : [
        for statement in jsondecode(policy.policy).Statement :
        alltrue([for resource in statement.Resource : startswith(resource, "arn:aws:iam::123456789012:role/fin-advisor-")]) && can(statement.Condition.StringEquals["iam:PassedToService"])
        if contains(statement.Action, "iam:PassRole")
      ]
    ]))
    error_message = "Only the project's roles can be passed, and only to the service of each."
  }

  assert {
    condition     = strcontains(aws_iam_policy.deploy["fin-advisor-dev-deploy-s3-vectors"].policy, "s3:DeleteObjectVersion") && !strcontains(aws_iam_policy.deploy["fin-advisor-prod-deploy-s3-vectors"].policy, "s3:DeleteObject")
    error_message = "Only dev's buckets may be emptied."
  }

  assert {
    condition     = !strcontains(aws_iam_policy.plan["fin-advisor-plan-state"].policy, "prod/") && !strcontains(aws_iam_policy.plan["fin-advisor-plan-secrets"].policy, "fin-advisor/prod/")
    error_message = "The plan role reads no state and no secret of an environment that it may not plan."
  }

  assert {
    condition = toset(flatten([
      for name, policy in aws_iam_policy.plan : [
        for statement in jsondecode(policy.policy).Statement : [
          for action in statement.Action : "${name} ${action}" if !can(regex(local.reading, action))
        ]
      ]
      ])) == toset(concat(["fin-advisor-prod-plan-state s3:PutObject"], [
      for action in ["BatchCheckLayerAvailability", "CompleteLayerUpload", "InitiateLayerUpload", "PutImage", "UploadLayerPart"] :
      "fin-advisor-prod-plan-apprunner ecr:${action}"
    ]))
    error_message = "A role that plans changes nothing, except that prod's saves its plan and pushes an image."
  }
}

run "saved_plans" {
  command = plan

  assert {
    condition = {
      for name in ["fin-advisor-prod-plan-state", "fin-advisor-prod-deploy-state"] : name => [
        for statement in jsondecode(merge(aws_iam_policy.plan, aws_iam_policy.deploy)[name].policy).Statement : [statement.Action, statement.Resource]
        if strcontains(jsonencode(statement.Resource), "/plans/")
      ]
      } == {
      fin-advisor-prod-plan-state   = [[["s3:PutObject"], ["${local.state_arn}/plans/prod/*"]]]
      fin-advisor-prod-deploy-state = [[["s3:GetObjectVersion"], ["${local.state_arn}/plans/prod/*"]]]
    }
    error_message = "The role that plans prod writes its plan, and the role that deploys prod reads it by its version."
  }

  assert {
    condition = alltrue([
      for name, policy in merge(aws_iam_policy.plan, aws_iam_policy.deploy) : !strcontains(policy.policy, "/plans/")
      if !contains(["fin-advisor-prod-plan-state", "fin-advisor-prod-deploy-state"], name)
    ])
    error_message = "No other role reaches a saved plan."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.state.rule : [rule.filter[0].prefix, rule.expiration[0].days, rule.noncurrent_version_expiration[0].noncurrent_days, rule.status]
      if rule.id == "saved-plans"
    ] == [["plans/", 1, 1, "Enabled"]]
    error_message = "A saved plan, which contains secrets, is deleted after a day."
  }
}

run "pull_requests_never_plan_prod" {
  command         = plan
  expect_failures = [var.plan_state_environments]

  variables {
    plan_state_environments = ["dev", "prod"]
  }
}

run "execution_roles" {
  command = plan

  assert {
    condition     = alltrue([for role in values(aws_iam_role.execution) : role.permissions_boundary != null]) && length(aws_iam_role.execution) == length(var.environments) * (length(local.declared) + length(local.containers) + 2)
    error_message = "Each execution role has a permissions boundary."
  }

  assert {
    condition     = jsondecode(aws_iam_role.execution["fin-advisor-dev-lambda-api"].assume_role_policy).Statement[0].Principal.Service == "lambda.amazonaws.com" && jsondecode(aws_iam_role.execution["fin-advisor-dev-apprunner-runner"].assume_role_policy).Statement[0].Principal.Service == "tasks.apprunner.amazonaws.com"
    error_message = "Only its own service can assume a role."
  }

  assert {
    condition     = alltrue([for name in keys(local.declared) : contains(keys(aws_iam_role.execution), "fin-advisor-prod-lambda-${name}")])
    error_message = "Each declared service has a role in each environment."
  }
}

run "images" {
  command = plan

  assert {
    condition     = toset(keys(aws_ecr_repository.main)) == local.containers
    error_message = "Each declared container has a repository."
  }

  assert {
    condition     = aws_ecr_repository.main["runner"].name == "fin-advisor/runner" && aws_ecr_repository.main["runner"].image_scanning_configuration[0].scan_on_push && aws_ecr_repository.main["runner"].image_tag_mutability == "IMMUTABLE"
    error_message = "Images are scanned, and tags are immutable."
  }
}

run "without_lambda_and_app_runner" {
  command = plan

  variables {
    enable_lambda    = false
    enable_apprunner = false
  }

  assert {
    condition     = keys(aws_iam_role.execution) == ["fin-advisor-dev-scheduler", "fin-advisor-prod-scheduler", "fin-advisor-test-scheduler"] && length(aws_iam_role_policy_attachment.pull_image) == 0
    error_message = "Each switch leaves out its roles."
  }
}

run "an_account_that_has_its_singletons" {
  command = plan

  variables {
    create_github_oidc_provider = false
    enable_api_gateway_account  = false
    environments                = ["prod"]
    plan_state_environments     = []
    account_name                = "prod"
    account_id                  = "123456789012"
  }

  assert {
    condition     = toset(keys(output.backend_files)) == toset(["../terraform/environments/prod.s3.tfbackend", "accounts/prod.s3.tfbackend", "backend.tf"])
    error_message = "Each account has its own backend file, and writes those of its environments only."
  }

  assert {
    condition     = keys(output.drift_role_arns) == ["prod"]
    error_message = "Each account has the drift roles of its environments."
  }

  assert {
    condition     = output.plan_role_arn == null && length(aws_iam_role.plan) == 0
    error_message = "No role for pull requests exists in an account of prod alone."
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) + length(aws_api_gateway_account.main) + length(aws_iam_role.api_gateway_logs) == 0
    error_message = "Resources that exist already are not created again."
  }

  assert {
    condition     = jsondecode(aws_iam_role.deploy["prod"].assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    error_message = "The account's existing provider is trusted."
  }
}

run "wrong_values_are_each_refused" {
  command = plan

  expect_failures = [
    var.project_name,
    var.account_name,
    var.account_id,
    var.aws_region,
    var.environments,
    var.github_owner,
    var.github_repository,
    var.github_owner_id,
    var.github_repository_id,
    var.ecr_repositories,
  ]

  variables {
    project_name         = "Fin_Advisor"
    account_name         = "Main account"
    account_id           = "main"
    aws_region           = "Virginia"
    environments         = ["production"]
    github_owner         = "acme/fin-advisor"
    github_repository    = "acme/fin-advisor"
    github_owner_id      = "acme"
    github_repository_id = "fin-advisor"
    ecr_repositories     = ["Runner"]
  }
}

run "a_plan_of_what_is_not_here_is_refused" {
  command         = plan
  expect_failures = [var.plan_state_environments]

  variables {
    environments            = ["prod"]
    plan_state_environments = ["dev"]
  }
}

run "wrong_dns_records_are_refused" {
  command         = plan
  expect_failures = [var.dns_records]

  variables {
    dns_records = { dev = { zone_id = "/hostedzone/Z1", names = ["API.example.com."] } }
  }
}

run "dns_records_of_an_environment_that_is_not_here_are_refused" {
  command         = plan
  expect_failures = [var.dns_records]

  variables {
    environments = ["dev"]
    dns_records  = { prod = { zone_id = "Z0123456789ABC", names = ["api.example.com"] } }
  }
}

run "drift_roles" {
  command = plan

  assert {
    condition     = alltrue([for environment, role in aws_iam_role.drift : endswith(jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"][0], ":environment:${environment}-drift")])
    error_message = "The drift role of an environment trusts the GitHub environment named after it."
  }

  assert {
    condition     = alltrue([for name, policy in local.plan_policies : !strcontains(jsonencode(policy.statements), "/prod/") && !strcontains(jsonencode(policy.statements), "-prod-") if policy.role == "fin-advisor-dev-drift"]) && length([for name, policy in local.plan_policies : name if policy.role == "fin-advisor-dev-drift"]) > 5
    error_message = "dev's drift role reads nothing of prod."
  }
}

run "developers" {
  command = plan

  variables {
    project_name = "sixteen-letters2"
    aws_region   = "ap-northeast-1"
    environments = ["dev"]
    developer_environments = {
      sixsix = ["arn:aws:iam::123456789012:role/developer", "arn:aws:iam::123456789012:user/anna"]
    }
  }

  assert {
    condition = jsondecode(aws_iam_role.deploy["sixsix"].assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::123456789012:role/developer", "arn:aws:iam::123456789012:user/anna"] }
      Action    = "sts:AssumeRole"
    }]
    error_message = "The role of a developer's environment trusts its developers, and no workflow."
  }

  assert {
    condition     = aws_iam_role.deploy["sixsix"].permissions_boundary != null && strcontains(aws_iam_policy.deploy_boundary["sixsix"].policy, "/sixsix/*")
    error_message = "It has a boundary of its own."
  }

  assert {
    condition     = keys(output.deploy_role_arns) == ["dev"] && keys(output.developer_role_arns) == ["sixsix"] && keys(output.drift_role_arns) == ["dev"]
    error_message = "GitHub's program gets no role of a developer's environment."
  }

  assert {
    condition     = !strcontains(jsonencode([for policy in values(aws_iam_policy.plan) : policy.policy]), "sixsix")
    error_message = "A pull request reads nothing of a developer's environment."
  }

  assert {
    condition     = length([for name in keys(merge(aws_iam_role.execution, aws_iam_policy.deploy, aws_iam_role_policy_attachment.pull_image)) : name if strcontains(name, "sixsix") && strcontains(name, "apprunner")]) == 0
    error_message = "It runs on Lambda alone."
  }

  assert {
    condition     = toset(keys(aws_iam_role.execution)) == toset(concat([for name in keys(aws_iam_role.execution) : name if startswith(name, "sixteen-letters2-dev-")], ["sixteen-letters2-sixsix-scheduler"], [for name in keys(local.declared) : "sixteen-letters2-sixsix-lambda-${name}"]))
    error_message = "Each declared service has a role in it."
  }

  assert {
    condition     = strcontains(aws_iam_policy.deploy["sixteen-letters2-sixsix-deploy-s3-vectors"].policy, "s3:DeleteObjectVersion") && !strcontains(aws_iam_policy.deploy["sixteen-letters2-sixsix-deploy-s3-vectors"].policy, "-dev-")
    error_message = "Its role may empty its own buckets only, in order to destroy it wholly."
  }

  assert {
    condition     = strcontains(output.backend_files["../terraform/environments/sixsix.s3.tfbackend"], "key          = \"sixsix/terraform.tfstate\"")
    error_message = "It has a state of its own."
  }

  assert {
    # AWS's limits, with the longest names.
    condition = alltrue([
      for policy in concat(values(aws_iam_policy.deploy), values(aws_iam_policy.deploy_boundary), values(aws_iam_policy.boundary)) :
      length(policy.policy) <= 6144 && length(policy.name) <= 128
    ]) && alltrue([for role in concat(values(aws_iam_role.deploy), values(aws_iam_role.execution)) : length(role.name) <= 64])
    error_message = "A policy or a name exceeds AWS's limit."
  }
}

run "wrong_names_of_developers_are_refused" {
  command         = plan
  expect_failures = [var.developer_environments]

  variables {
    developer_environments = { annabel = ["arn:aws:iam::123456789012:role/developer"] }
  }
}

run "names_with_a_hyphen_are_refused" {
  command         = plan
  expect_failures = [var.developer_environments]

  variables {
    developer_environments = { dev-a = ["arn:aws:iam::123456789012:role/developer"] }
  }
}

run "names_that_have_a_meaning_are_refused" {
  command         = plan
  expect_failures = [var.developer_environments]

  variables {
    developer_environments = { plans = ["arn:aws:iam::123456789012:role/developer"] }
  }
}

run "an_environment_of_nobody_is_refused" {
  command         = plan
  expect_failures = [var.developer_environments]

  variables {
    developer_environments = { anna = [], bob = ["arn:aws:iam::123456789012:role/*"] }
  }
}
