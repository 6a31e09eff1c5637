# Another region and architecture, without a layer, a token's own authorizer.

environment          = "dev"
aws_region           = "eu-central-1"
architecture         = "arm64"
tracing_mode         = "udp"
chat_model_id        = "eu.anthropic.claude-sonnet-5-5"
embedding_dimensions = 256
service_api_keys     = { client = { quota_limit = 10000, quota_period = "MONTH", description = "Client" } }
authorizer           = { type = "jwt", function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tokens" }
