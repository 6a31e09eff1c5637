# No variable beside the repository's.

github_owner         = "acme"
github_repository    = "fin-advisor"
github_owner_id      = "11"
github_repository_id = "22"
