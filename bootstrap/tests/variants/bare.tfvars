# One environment, without execution roles for functions and App Runner.

github_owner         = "acme"
github_repository    = "fin-advisor"
github_owner_id      = "11"
github_repository_id = "22"

enable_lambda           = false
enable_apprunner        = false
environments            = ["test"]
plan_state_environments = ["test"]
