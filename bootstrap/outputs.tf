output "state_bucket" {
  description = "Bucket of the states."
  value       = aws_s3_bucket.state.bucket
}

output "own_state" {
  description = "Where this layer's own state lives, and how it gets there."
  value = join(" ", [
    "s3://${local.state_bucket}/bootstrap/terraform.tfstate,",
    "once `terraform init -migrate-state` has moved it there; until then in terraform.tfstate beside backend.tf.",
  ])
}

output "backend_files" {
  description = "Contents of the backend files, for a machine that did not run the first apply."
  value       = merge(local.backend_files, { "backend.tf" = local.own_backend })
}

output "deploy_role_arns" {
  description = "Role that GitHub's environment of the same name assumes."
  value       = { for environment, role in aws_iam_role.deploy : environment => role.arn }
}

output "plan_role_arn" {
  description = "Role that GitHub's environment `plan` assumes."
  value       = aws_iam_role.plan.arn
}

output "ecr_repository_urls" {
  description = "Where images are pushed to."
  value       = { for service, repository in aws_ecr_repository.main : service => repository.repository_url }
}

output "execution_role_names" {
  description = "Roles that the services run as."
  value       = sort(keys(aws_iam_role.execution))
}
