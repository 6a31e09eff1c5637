terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # One state for each environment: `terraform init -backend-config=environments/dev.s3.tfbackend`.
  # `bootstrap/` creates the bucket and writes those files.
  backend "s3" {}
}
