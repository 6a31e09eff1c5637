# Default values of every suite. Terraform reads this file by its name.

environment = "dev"
package_dir = "tests/packages"

runner_platform = "apprunner"

runner_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fin-advisor/runner@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

service_api_keys = {
  client = { quota_limit = 10000, quota_period = "MONTH", description = "Client" }
  ingest = { quota_limit = 10000, quota_period = "MONTH", description = "Ingestion" }
}
