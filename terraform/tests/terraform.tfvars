# Default values of every suite. Terraform reads this file by its name.

environment  = "dev"
package_dir  = "tests/packages"
runner_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

service_api_keys = {
  api      = { quota_limit = 100000, quota_period = "MONTH", description = "API" }
  chat     = { quota_limit = 100000, quota_period = "MONTH", description = "Chat" }
  s3vector = { quota_limit = 50000, quota_period = "MONTH", description = "S3Vector" }
  runner   = { quota_limit = 75000, quota_period = "MONTH", description = "Runner" }
  client   = { quota_limit = 10000, quota_period = "MONTH", description = "Client" }
}
