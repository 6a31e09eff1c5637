# Keys and tracing off, a runner in a network.

environment             = "test"
tracing_mode            = "off"
enable_service_api_keys = false
cors_origins            = ["https://a.example"]
vpc_config              = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
