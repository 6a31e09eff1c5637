environment = "test"
aws_region  = "us-east-1"

# "apprunner" if this account already uses App Runner, which has taken no new customers since 2026-04-30; otherwise "lambda".
# `./pants run build-support/deploy:doctor` finds out.
runner_platform = "apprunner"

enable_service_api_keys = true

service_api_keys = {
  api = {
    quota_limit  = 200000
    quota_period = "MONTH"
    description  = "API service key"
  }
  chat = {
    quota_limit  = 200000
    quota_period = "MONTH"
    description  = "Chat service key"
  }
  s3vector = {
    quota_limit  = 100000
    quota_period = "MONTH"
    description  = "S3Vector service key"
  }
  runner = {
    quota_limit  = 150000
    quota_period = "MONTH"
    description  = "Runner service key"
  }
  # For the smoke test and the testers. No service may read it.
  client = {
    quota_limit  = 100000
    quota_period = "MONTH"
    description  = "Client key"
  }
  # For programs that store documents.
  ingest = {
    quota_limit  = 100000
    quota_period = "MONTH"
    description  = "Ingestion key"
  }
}

key_rotation_days    = 30
log_level            = "INFO"
log_retention_days   = 30
trace_sample_percent = 20

monthly_budget_usd = 100

# Locked as in prod, so that what the lock refuses is noticed here. A role with s3:BypassGovernanceRetention can empty it.
record_retention = {
  mode = "GOVERNANCE"
  days = 30
}
records_required = true

secret_recovery_days = 7
