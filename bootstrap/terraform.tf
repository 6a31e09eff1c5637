terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # No backend: this layer creates the bucket of the states. Its first apply writes its state to this folder, and writes
  # backend.tf; `terraform init -migrate-state` then moves the state into the bucket (docs/runbook.md).
}
