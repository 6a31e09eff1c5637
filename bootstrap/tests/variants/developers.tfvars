# An account with dev and the environments of a developer.

github_owner         = "acme"
github_repository    = "fin-advisor"
github_owner_id      = "11"
github_repository_id = "22"

environments           = ["dev"]
developer_environments = { anna = ["arn:aws:iam::123456789012:role/developer"] }
