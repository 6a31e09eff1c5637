terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # No backend: this layer creates the bucket of the states. Its first apply in an account writes its state to this folder,
  # and writes backend.tf and the account's backend file; `terraform init -migrate-state` then moves the state into the
  # bucket (docs/runbook.md).
}
