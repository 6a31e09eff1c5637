# A developer's environment. build-support/deploy:environment copies this file to NAME.tfvars and writes the name into it.
environment = "NAME"
aws_region  = "us-east-1"

# Bootstrap creates no roles of App Runner for it.
runner_platform = "lambda"

enable_service_api_keys = true

service_api_keys = {
  # No service may read these two: for the developer, the smoke test, and programs that store documents.
  client = {
    quota_limit  = 10000
    quota_period = "MONTH"
    description  = "Client key"
  }
  ingest = {
    quota_limit  = 10000
    quota_period = "MONTH"
    description  = "Ingestion key"
  }
}

log_level            = "DEBUG"
log_retention_days   = 7
trace_sample_percent = 100

# Of the account, as for each environment: a budget on tags that nobody activated for billing would count nothing.
monthly_budget_usd = 60

# It may be destroyed and created again at any time.
secret_recovery_days = 0
force_destroy        = true
