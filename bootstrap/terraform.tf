terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # No backend here: this layer makes the bucket that states live in. Its first apply keeps its state beside it and
  # writes backend.tf; `terraform init -migrate-state` then moves the state into the bucket (docs/runbook.md).
}
