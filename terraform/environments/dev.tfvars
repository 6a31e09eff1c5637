environment = "dev"
aws_region  = "us-east-1"

# "apprunner" if this account already uses App Runner, which has taken no new customers since 2026-04-30; otherwise "lambda".
# `./pants run build-support/deploy:doctor` finds out.
runner_platform = "apprunner"

enable_service_api_keys = true

service_api_keys = {
  api = {
    quota_limit  = 100000
    quota_period = "MONTH"
    description  = "API service key"
  }
  chat = {
    quota_limit  = 100000
    quota_period = "MONTH"
    description  = "Chat service key"
  }
  s3vector = {
    quota_limit  = 50000
    quota_period = "MONTH"
    description  = "S3Vector service key"
  }
  runner = {
    quota_limit  = 75000
    quota_period = "MONTH"
    description  = "Runner service key"
  }
  # For developers and the smoke test. No service may read it.
  client = {
    quota_limit  = 10000
    quota_period = "MONTH"
    description  = "Client key"
  }
  # For programs that store documents.
  ingest = {
    quota_limit  = 10000
    quota_period = "MONTH"
    description  = "Ingestion key"
  }
}

log_level            = "DEBUG"
log_retention_days   = 7
trace_sample_percent = 100

# Web pages that developers serve on their own machines may call dev.
cors_origins = ["http://localhost:3000", "http://localhost:5173"]

# Of the account, as for each environment: a budget on tags that nobody activated for billing would count nothing.
monthly_budget_usd = 60

# dev may be destroyed and created again at any time.
secret_recovery_days = 0
force_destroy        = true
