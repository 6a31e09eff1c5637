variable "project_name" {
  type        = string
  description = "Name of the project; the first part of every resource's name. The application layer has to use the same name."
  default     = "fin-advisor"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.project_name))
    error_message = "Write project_name in 3 to 16 lower-case letters, digits and hyphens, beginning with a letter, such as \"fin-advisor\"."
  }
}

variable "account_name" {
  type        = string
  description = "Name of this account's files: accounts/NAME.tfvars with its variables, and accounts/NAME.s3.tfbackend, which names the bucket of this layer's state."
  default     = "main"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.account_name))
    error_message = "Write account_name in lower-case letters, digits and hyphens, such as \"main\" or \"prod\"."
  }
}

variable "account_id" {
  type        = string
  description = "Account that these variables are for; Terraform refuses to run with another account's credentials. null accepts any."
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Write account_id as the twelve digits of an account, in quotes."
  }
}

variable "aws_region" {
  type        = string
  description = "Region of the state bucket, of the images and of all environments in this account."
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "Write aws_region as a region's code, such as \"us-east-1\"."
  }
}

variable "environments" {
  type        = set(string)
  description = "Environments in this account. If prod has its own account, set [\"prod\"] there and the other environments here."
  default     = ["dev", "test", "prod"]

  validation {
    # Roles are named after environments, so there is no role for a GitHub environment named `production`.
    condition     = length(var.environments) > 0 && length(setsubtract(var.environments, ["dev", "test", "prod"])) == 0
    error_message = "Write environments as one or more of \"dev\", \"test\" and \"prod\"; GitHub's environments must have the same names."
  }
}

variable "developer_environments" {
  type        = map(set(string))
  description = "Environments of developers in this account, by name: the ARNs of the roles and users of this account that may deploy each. They have roles, state and resources of their own, and no environment on GitHub."
  default     = {}

  validation {
    # At most 6 characters: see project_name in terraform/. Without a hyphen, no name of a resource begins with another environment's.
    condition     = alltrue([for name in keys(var.developer_environments) : can(regex("^[a-z][a-z0-9]{1,5}$", name))])
    error_message = "Write the names in developer_environments in 2 to 6 lower-case letters and digits, beginning with a letter, such as {anna = [\"arn:aws:iam::123456789012:role/developer\"]}."
  }

  validation {
    # plan is an environment on GitHub, and plans/ in the state bucket expires.
    condition     = length(setintersection(keys(var.developer_environments), ["dev", "test", "prod", "plan", "plans"])) == 0
    error_message = "Choose other names in developer_environments than dev, test and prod, which everybody shares, and plan and plans, which the pipeline uses."
  }

  validation {
    condition     = alltrue([for principals in values(var.developer_environments) : length(principals) > 0 && alltrue([for arn in principals : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[^*]+$", arn))])])
    error_message = "Name at least one IAM role or user by its ARN for each of developer_environments; `aws sts get-caller-identity` shows which role you have, and the ARN of a role begins with arn:aws:iam::."
  }
}

# --- GitHub --------------------------------------------------------------------------------------------------------

variable "github_owner" {
  type        = string
  description = "Organisation or user that owns the repository."

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}$", var.github_owner))
    error_message = "Write github_owner as in the repository's address, without a slash: github.com/OWNER/REPOSITORY."
  }
}

variable "github_repository" {
  type        = string
  description = "Name of the repository, without its owner."

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,100}$", var.github_repository))
    error_message = "Write github_repository as the repository's name alone, without its owner."
  }
}

variable "github_owner_id" {
  type        = string
  description = "Numeric id of the owner. The tokens of newer repositories contain it in their subject."

  validation {
    condition     = can(regex("^[0-9]+$", var.github_owner_id))
    error_message = "Write github_owner_id as a number: gh api repos/OWNER/REPOSITORY --jq .owner.id"
  }
}

variable "github_repository_id" {
  type        = string
  description = "Numeric id of the repository. It distinguishes this repository from a later one of the same name."

  validation {
    condition     = can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "Write github_repository_id as a number: gh api repos/OWNER/REPOSITORY --jq .id"
  }
}

variable "plan_state_environments" {
  type        = set(string)
  description = "Environments that pull requests may plan, read-only; empty creates no role for them. A plan reads the state and the secrets, and both contain API keys, which the author of a pull request can read by it: never prod."
  default     = ["dev"]

  validation {
    condition     = length(setsubtract(var.plan_state_environments, setsubtract(var.environments, ["prod"]))) == 0
    error_message = "Write plan_state_environments as names in environments without prod, or as [] in an account of prod alone."
  }
}

# --- DNS -----------------------------------------------------------------------------------------------------------

variable "dns_records" {
  type = map(object({
    zone_id = string
    names   = set(string)
  }))
  description = "DNS records that the deploy role of an environment may change, by environment: the id of the Route 53 zone, and the names of the records. An environment that is not named may change none."
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.dns_records), var.environments)) == 0
    error_message = "Write dns_records by the names in environments, such as {dev = {zone_id = \"Z0123456789ABC\", names = [\"api.dev.example.com\"]}}."
  }

  validation {
    condition     = alltrue([for records in values(var.dns_records) : can(regex("^Z[A-Z0-9]{1,31}$", records.zone_id))])
    error_message = "Write zone_id in dns_records as Route 53 lists it, without /hostedzone/: Z0123456789ABC."
  }

  validation {
    # The names as IAM compares them: in lower case, without the last dot.
    condition     = alltrue([for records in values(var.dns_records) : length(records.names) > 0 && alltrue([for name in records.names : can(regex("^[a-z0-9_-]+([.][a-z0-9_-]+)+$", name))])])
    error_message = "Write names in dns_records as at least one record's full name in lower case, without a dot at its end: api.dev.example.com."
  }
}

# --- Resources of which an account has only one --------------------------------------------------------------------

variable "create_github_oidc_provider" {
  type        = bool
  description = "Whether to create GitHub's OIDC provider. An account has only one: set false if it exists already."
  default     = true
}

variable "enable_api_gateway_account" {
  type        = bool
  description = "Whether to set API Gateway's logging role. An account has only one in each region: set false if it is set already."
  default     = true
}

# --- Resources to create -------------------------------------------------------------------------------------------

variable "enable_lambda" {
  type        = bool
  description = "Whether to create the functions' execution roles."
  default     = true
}

variable "enable_apprunner" {
  type        = bool
  description = "Whether to create App Runner's roles. Set false in an account without App Runner, together with runner_platform = \"lambda\"."
  default     = true
}

variable "ecr_repositories" {
  type        = set(string)
  description = "Services that get an ECR repository; null: those that services.json declares as containers."
  default     = null

  validation {
    condition     = var.ecr_repositories == null || alltrue([for name in coalesce(var.ecr_repositories, []) : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "Write ecr_repositories as services' names in lower-case letters, digits and hyphens, such as [\"runner\"]."
  }
}

variable "force_destroy" {
  type        = bool
  description = "Whether `terraform destroy` may delete the state bucket with its states, and repositories with their images."
  default     = false
}

variable "backend_files_dir" {
  type        = string
  description = "Folder to write the environments' .s3.tfbackend files to; null writes none."
  default     = "../terraform/environments"
}

variable "write_own_backend" {
  type        = bool
  description = "Whether to write backend.tf and accounts/NAME.s3.tfbackend beside this file, for `terraform init -migrate-state`."
  default     = true
}
