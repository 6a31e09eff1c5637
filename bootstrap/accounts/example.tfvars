# One file for each AWS account: copy this one to NAME.tfvars, with account_name = "NAME". docs/runbook.md, section 1.
account_name = "example"
account_id   = "000000000000"

github_owner         = "OWNER"
github_repository    = "REPOSITORY"
github_owner_id      = "11" # gh api repos/OWNER/REPOSITORY --jq '[.owner.id, .id]'
github_repository_id = "22"

# prod in an account of its own: environments = ["prod"] there, and ["dev", "test"] in the other file.
environments            = ["dev", "test", "prod"]
plan_state_environments = ["dev"]

# Environments of developers, and who may deploy each; docs/developing.md, "An environment of your own".
developer_environments = {}
