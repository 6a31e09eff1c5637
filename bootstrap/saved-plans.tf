# The roles that plan, and the saved plans of prod.
#
# A pull request runs code that nobody has reviewed, so its role reads dev alone, whatever drift.yml may read. The plan of
# prod is made before somebody approves it, and applied after, by two jobs. It contains secrets, and GitHub shows artifacts
# to every reader of the repository, so it is passed on through the state bucket.

locals {
  # Each role's environments. The GitHub environment that a role trusts has the role's name here.
  plan_scopes = merge(
    { plan = tolist(var.plan_state_environments) },
    contains(var.environments, "dev") ? { pull-request = ["dev"] } : {},
    contains(var.environments, "prod") ? { prod-plan = ["prod"] } : {},
  )

  saved_plans = "${aws_s3_bucket.state.arn}/plans/prod/*"

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
