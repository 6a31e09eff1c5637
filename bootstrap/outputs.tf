output "state_bucket" {
  description = "Name of the bucket that stores the Terraform states."
  value       = aws_s3_bucket.state.bucket
}

output "own_state" {
  description = "Where the state of this layer is stored, and how to move it there."
  value = join(" ", [
    "s3://${local.state_bucket}/bootstrap/terraform.tfstate,",
    "after `terraform init -migrate-state -backend-config=accounts/${var.account_name}.s3.tfbackend`;",
    "before that, terraform.tfstate beside backend.tf.",
  ])
}

output "backend_files" {
  description = "Contents of the backend files by their path, for a machine on which this layer was not applied."
  value       = merge(local.backend_files, local.own_backend)
}

output "deploy_role_arns" {
  description = "ARN of the role that workflows in the GitHub environment of the same name assume."
  value       = { for environment in var.environments : environment => aws_iam_role.deploy[environment].arn }
}

output "developer_role_arns" {
  description = "ARN of the role that deploys each of developer_environments."
  value       = { for environment in keys(var.developer_environments) : environment => aws_iam_role.deploy[environment].arn }
}

output "plan_role_arn" {
  description = "ARN of the role that pull requests assume in the GitHub environment `plan`; null if plan_state_environments is empty."
  value       = one([for role in aws_iam_role.plan : role.arn])
}

output "prod_plan_role_arn" {
  description = "ARN of the role that workflows in the GitHub environment `prod-plan` assume; null without prod."
  value       = one([for role in aws_iam_role.prod_plan : role.arn])
}

output "drift_role_arns" {
  description = "ARN of the role that workflows in the GitHub environment `dev-drift`, `test-drift` or `prod-drift` assume, by environment."
  value       = { for environment, role in aws_iam_role.drift : environment => role.arn }
}

output "ecr_repository_urls" {
  description = "URL of the ECR repository of each service that is deployed as an image."
  value       = { for service, repository in aws_ecr_repository.main : service => repository.repository_url }
}

output "execution_role_names" {
  description = "Names of the roles that the services run as."
  value       = sort(keys(aws_iam_role.execution))
}
