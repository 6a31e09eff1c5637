environment = "prod"
aws_region  = "us-east-1"

enable_service_api_keys = true

# The clock of the jobs alone spends 43,200 of api's calls a month, and a canary each minute as many of its own key's:
# these quotas bound a run-away caller and are out of reach of both.
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
  # /api/health each minute; a key of its own, so that it can never stop a client.
  canary = {
    quota_limit  = 1000000
    quota_period = "MONTH"
    description  = "Canary key"
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

# alarm_emails is not set here on purpose: prod is refused without it, so that an alarm reaches somebody. Write the
# addresses of those on call, or let the pipeline pass TF_VAR_alarm_emails='["oncall@…"]'.
monthly_budget_usd = 200

secret_recovery_days = 30
