# Every option on, as far as they go together.

environment          = "prod"
alarm_emails         = ["oncall@example.com"]
runner_platform      = "lambda"
tracing_mode         = "auto"
vector_backend       = "s3vectors"
key_rotation_days    = 30
monthly_budget_usd   = 50
release              = "v1.2.0"
live_versions        = { api = "3", runner = "4" }
reserved_concurrency = { s3vector = 20 }
cors_origins         = ["https://a.example", "https://b.example"]
vpc_config           = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
domain_name          = { name = "api.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a", zone_id = "Z1" }
waf_acl_arn          = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b"
authorizer           = { type = "cognito", user_pool_arns = ["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a"], tenant_claim = "custom:tenant" }
chat_guardrail       = { id = "gr1abc", version = "3" }
chat_model_id        = "anthropic.claude-sonnet-5-5"
chat_model_fields    = "{\"top_k\": 5}"
chat_min_relevance   = 0.4
chat_support_country = "US"
chat_policy_path     = "acme.json"
conversation_days    = 60
throttle             = { rate_limit = 10, burst_limit = 20 }
operation_throttles  = { ask = { rate_limit = 2, burst_limit = 4 } }
