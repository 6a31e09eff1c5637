# tests/test_mocked.py runs this once for each environment: `-var-file=environments/dev.tfvars`.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  package_dir  = "tests/packages"
  runner_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "is_complete" {
  command = plan

  assert {
    condition     = module.api.function_name == "fin-advisor-${var.environment}-api" && output.stage_name == var.environment
    error_message = "Names contain the environment."
  }

  assert {
    condition     = var.enable_service_api_keys && length(setsubtract(concat(keys(local.declared_keys), ["client"]), keys(output.api_key_secrets))) == 0
    error_message = "API keys are enabled for every service and for a client."
  }

  assert {
    condition     = !contains(["test", "prod"], var.environment) ? (var.secret_recovery_days == 0 && var.force_destroy) : (var.secret_recovery_days >= 7 && !var.force_destroy)
    error_message = "Only dev and developers' environments can be destroyed together with their data."
  }

  assert {
    condition     = one(aws_dynamodb_table.conversations.point_in_time_recovery).enabled == (var.environment == "prod") && aws_dynamodb_table.conversations.deletion_protection_enabled == contains(["test", "prod"], var.environment)
    error_message = "prod's conversations can be restored, and the tables of test and prod cannot be deleted."
  }

  assert {
    condition     = !contains(["test", "prod"], var.environment) ? var.record_retention == null : (var.record_retention.mode == "GOVERNANCE" && var.records_required)
    error_message = "Records are locked in test and prod, where no answer is given without one."
  }

  assert {
    # 44,640 minutes in a month of 31 days: a call of the jobs' schedule in each, and as many of a monitor outside.
    condition     = var.environment != "prod" || alltrue([for key in values(local.api_keys) : key.quota_limit > 2 * 60 * 24 * 31])
    error_message = "In prod, calls by the clock cannot use up a quota."
  }

  assert {
    condition     = length(aws_budgets_budget.main) == 1
    error_message = "Each environment has a budget."
  }

  assert {
    # The file need not name a service's key, which has a default.
    condition = length(setsubtract(keys(var.service_api_keys), concat(keys(local.declared_keys), ["client", "ingest"]))) == 0 && alltrue([
      for name in ["client", "ingest"] : contains(keys(var.service_api_keys), name)
    ])
    error_message = "Each key has a service or a client that uses it."
  }

  assert {
    condition = var.environment != "dev" || (
      local.api_keys.api.quota_limit == 100000 && local.api_keys.chat.quota_limit == 100000 &&
      local.api_keys.s3vector.quota_limit == 50000 && local.api_keys.runner.quota_limit == 75000
    )
    error_message = "Dev has the quotas of requirements.md."
  }
}
