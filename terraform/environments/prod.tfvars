environment = "prod"
aws_region  = "us-east-1"

# "apprunner" if this account already uses App Runner, which has taken no new customers since 2026-04-30; otherwise "lambda".
# `./pants run build-support/deploy:doctor` finds out.
runner_platform = "apprunner"

enable_service_api_keys = true

# The schedule of the jobs makes 43,200 calls a month with api's key. The quotas are far above that: they stop a caller that
# runs out of control.
service_api_keys = {
  api = {
    quota_limit  = 5000000
    quota_period = "MONTH"
    description  = "API service key"
    rate_limit   = 200
    burst_limit  = 400
  }
  chat = {
    quota_limit  = 5000000
    quota_period = "MONTH"
    description  = "Chat service key"
    rate_limit   = 200
    burst_limit  = 400
  }
  s3vector = {
    quota_limit  = 2500000
    quota_period = "MONTH"
    description  = "S3Vector service key"
    rate_limit   = 200
    burst_limit  = 400
  }
  runner = {
    quota_limit  = 2500000
    quota_period = "MONTH"
    description  = "Runner service key"
    rate_limit   = 200
    burst_limit  = 400
  }
  client = {
    quota_limit  = 2500000
    quota_period = "MONTH"
    description  = "Client key"
    rate_limit   = 100
    burst_limit  = 200
  }
  # For programs that store documents.
  ingest = {
    quota_limit  = 1000000
    quota_period = "MONTH"
    description  = "Ingestion key"
  }
}

key_rotation_days    = 90
log_level            = "INFO"
log_retention_days   = 365
trace_sample_percent = 5

throttle = {
  rate_limit  = 500
  burst_limit = 1000
}

# alarm_emails is missing on purpose: Terraform refuses prod without it. Add the addresses of the people on call here, or
# let the pipeline pass TF_VAR_alarm_emails='["oncall@…"]'.
monthly_budget_usd = 200

# Six years, as FINRA rule 4511 and SEC rule 17a-4 ask for. docs/records.md says what to consider before the mode becomes
# COMPLIANCE, which nobody can undo. With records_required, an answer without a record is withheld.
record_retention = {
  mode = "GOVERNANCE"
  days = 2192
}
records_required = true

secret_recovery_days = 30
