# A plan of the account, after newcomer was added.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
}

variables {
  github_owner         = "acme"
  github_repository    = "fin-advisor"
  github_owner_id      = "11"
  github_repository_id = "22"
}

run "newcomer" {
  command = plan

  assert {
    condition     = contains(keys(aws_iam_role.execution), "fin-advisor-dev-lambda-newcomer")
    error_message = "role"
  }
}
