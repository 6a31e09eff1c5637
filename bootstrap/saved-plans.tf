# The role that plans prod, and the saved plans.
#
# The plan is made before somebody approves it, and applied after, by two jobs. It contains secrets, and GitHub shows artifacts
# to every reader of the repository, so it is passed on through the state bucket.

locals {
  prod_plan_role = contains(var.environments, "prod") ? ["${var.project_name}-prod-plan"] : []

  saved_plans = "${local.state_arn}/plans/prod/*"

  write_saved_plan = [{
    Sid      = "WriteSavedPlan"
    Action   = ["s3:PutObject"]
    Resource = [local.saved_plans]
  }]

  # By its version: a later plan does not replace the one that was approved.
  read_saved_plan = [{
    Sid      = "ReadSavedPlan"
    Action   = ["s3:GetObjectVersion"]
    Resource = [local.saved_plans]
  }]
}

resource "aws_iam_role" "prod_plan" {
  for_each = toset(local.prod_plan_role)

  name                 = each.key
  description          = "Assumed by GitHub's workflows to plan prod before its approval; changes no resource"
  assume_role_policy   = local.trust_policies[each.key]
  max_session_duration = 3600
  tags                 = { Environment = "prod" }
}
