# An account that has its singletons already.

github_owner         = "acme"
github_repository    = "fin-advisor"
github_owner_id      = "11"
github_repository_id = "22"

create_github_oidc_provider = false
enable_api_gateway_account  = false
environments                = ["dev", "prod"]
plan_state_environments     = ["dev"]
ecr_repositories            = ["runner", "reports"]
force_destroy               = true
backend_files_dir           = null
write_own_backend           = false
