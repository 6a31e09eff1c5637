# Keys and tracing off, a runner in a network, a token's own authorizer.

environment             = "test"
tracing_mode            = "off"
enable_service_api_keys = false
cors_origins            = ["https://a.example"]
vpc_config              = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
authorizer              = { type = "jwt", function_arn = "arn:aws:lambda:us-east-1:123456789012:function:tokens" }
