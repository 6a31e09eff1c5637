# In groups: names, packages, API keys, logs and alarms, models and stores, optional features.

# --- Names ---------------------------------------------------------------------------------------------------------

variable "project_name" {
  type        = string
  description = "Name of the project; the first part of every resource's name."
  default     = "fin-advisor"

  validation {
    # At most 16 characters: the longest name that contains it and environment (an X-Ray sampling rule) is limited to 32.
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.project_name))
    error_message = "Write project_name in 3 to 16 lower-case letters, digits and hyphens, beginning with a letter, such as \"fin-advisor\"."
  }
}

variable "environment" {
  type        = string
  description = "Environment that this state describes: dev, test or prod, as bootstrap/ and GitHub call it, or one of bootstrap's developer_environments."

  validation {
    # bootstrap/ names roles after the environment, so there is no role for `production`.
    condition     = can(regex("^[a-z][a-z0-9]{1,5}$", var.environment)) && !contains(["plan", "plans"], var.environment)
    error_message = "Write environment as \"dev\", \"test\" or \"prod\", or as a name in bootstrap's developer_environments (2 to 6 lower-case letters and digits), or pass -var-file=environments/dev.tfvars."
  }
}

variable "aws_region" {
  type        = string
  description = "Region of all resources."
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "Write aws_region as a region's code, such as \"us-east-1\"."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of all resources, beside Project, Environment and ManagedBy, such as a cost centre."
  default     = {}

  validation {
    condition     = length(setintersection([for key in keys(var.tags) : lower(key)], ["project", "environment", "managedby", "service"])) == 0
    error_message = "Leave Project, Environment, ManagedBy and Service out of tags: Terraform sets them, and permissions depend on them."
  }

  validation {
    condition     = alltrue([for key, value in var.tags : can(regex("^[A-Za-z0-9 _.:/=+@-]{1,128}$", key)) && !startswith(lower(key), "aws:") && can(regex("^[A-Za-z0-9 _.:/=+@-]{0,256}$", value))])
    error_message = "Write tags in letters, digits, spaces and _ . : / = + - @, at most 128 characters in a key and 256 in a value; AWS reserves keys that begin with aws:."
  }

  validation {
    condition     = length(var.tags) <= 40
    error_message = "Write at most 40 tags: AWS allows 50 for each resource, and some are set here."
  }
}

# --- Packages ------------------------------------------------------------------------------------------------------

variable "package_dir" {
  type        = string
  description = "Folder that contains the functions' zips, relative to this one. `./pants package ::` writes them to ../dist."
  default     = "../dist"
}

variable "architecture" {
  type        = string
  description = "Processor architecture that the zips were built for."
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "Write architecture as \"x86_64\" or \"arm64\", whichever the zips were built for."
  }
}

variable "live_versions" {
  type        = map(string)
  description = "Versions to serve instead of those that the environment remembers (serving.tf), by service, for this apply: {api = \"12\"}. To change what serves for good, use build-support/deploy:promote or :rollback."
  default     = {}

  validation {
    condition = alltrue([
      for service, version in var.live_versions :
      contains(keys(local.declared), service) && can(regex("^[1-9][0-9]*$", version))
    ])
    error_message = "Write live_versions as a service's name and a published version, such as {api = \"12\"}; the services are ${join(", ", keys(local.declared))}."
  }
}

variable "runner_platform" {
  type        = string
  description = "Platform of the runner: `apprunner`, or `lambda` for an account without App Runner."

  validation {
    condition     = contains(["apprunner", "lambda"], var.runner_platform)
    error_message = "Write runner_platform as \"apprunner\", or as \"lambda\" for an account that cannot use App Runner (it has taken no new customers since 2026-04-30)."
  }

  validation {
    condition     = var.runner_platform != "apprunner" || contains(["dev", "test", "prod"], var.environment)
    error_message = "Write runner_platform as \"lambda\" in a developer's environment: bootstrap creates no roles of App Runner for it."
  }
}

variable "runner_image" {
  type        = string
  description = "Image of the runner in ECR, by digest; null is the image that serves, and for a first apply in dev the newest one in ECR. Used on App Runner only."
  default     = null

  validation {
    # A digest names one image for ever. A tag can be moved to another image.
    condition     = var.runner_image == null || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/.+@sha256:[0-9a-f]{64}$", var.runner_image))
    error_message = "Write runner_image as ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:DIGEST."
  }
}

# --- API keys ------------------------------------------------------------------------------------------------------

variable "enable_service_api_keys" {
  type        = bool
  description = "Whether every method behind the gateway needs an API key."
  default     = true
}

variable "service_api_keys" {
  type = map(object({
    quota_limit  = number
    quota_period = optional(string, "MONTH")
    description  = optional(string)
    rate_limit   = optional(number, 50)
    burst_limit  = optional(number, 100)
  }))
  description = "API keys: one for each client, and one for each service whose quota in services.json does not suit this environment."
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.service_api_keys) : can(regex("^[a-z][a-z0-9-]{0,31}$", name))])
    error_message = "Write the names in service_api_keys in lower-case letters, digits and hyphens, 32 at most: they become part of a secret's name."
  }

  validation {
    condition     = alltrue([for key in values(var.service_api_keys) : contains(["DAY", "WEEK", "MONTH"], key.quota_period)])
    error_message = "Write quota_period as \"DAY\", \"WEEK\" or \"MONTH\"."
  }

  validation {
    condition = alltrue([
      for key in values(var.service_api_keys) :
      key.quota_limit >= 1 && floor(key.quota_limit) == key.quota_limit && key.rate_limit > 0 && key.burst_limit >= 1
    ])
    error_message = "Write quota_limit as a whole number of requests of at least 1, rate_limit above 0 and burst_limit of at least 1."
  }
}

variable "key_rotation_days" {
  type        = number
  description = "Days between rotations of each API key; null rotates on request only (`aws secretsmanager rotate-secret`)."
  default     = null

  validation {
    condition     = var.key_rotation_days == null || try(var.key_rotation_days >= 1 && var.key_rotation_days <= 1000, false)
    error_message = "Write key_rotation_days as a number of days between 1 and 1000, or leave it null."
  }
}

variable "secret_recovery_days" {
  type        = number
  description = "Days in which a deleted secret can be restored. 0 deletes it at once, so that dev can be created again under the same names."
  default     = 30

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "Write secret_recovery_days as 0, or as a number between 7 and 30."
  }
}

# --- Logs, traces, alarms ------------------------------------------------------------------------------------------

variable "log_level" {
  type        = string
  description = "Lowest level that the services log."
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "Write log_level as DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days that logs are kept."
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "Write log_retention_days as a number of days that CloudWatch accepts: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or a whole number of years up to 3653."
  }
}

variable "tracing_mode" {
  type        = string
  description = "How spans reach X-Ray: `sdk` (ADOT collector layer), `auto` (ADOT Python layer and its wrapper), `udp` (the X-Ray daemon, no layer), `off`."
  default     = "sdk"

  validation {
    condition     = contains(["sdk", "auto", "udp", "off"], var.tracing_mode)
    error_message = "Write tracing_mode as \"sdk\", \"auto\", \"udp\" or \"off\"."
  }

  validation {
    condition     = !contains(["sdk", "auto"], var.tracing_mode) || var.adot_layer_arn != null || contains(local.adot_regions, var.aws_region)
    error_message = "There is no ADOT layer in this region: set tracing_mode = \"udp\", or set adot_layer_arn to a layer of your own."
  }
}

variable "streaming" {
  type        = bool
  description = "Whether the operations that services.json lists in `streams` are streamed. Off until it has been tried in a real account."
  default     = false

  validation {
    condition     = !var.streaming || var.tracing_mode != "auto"
    error_message = "A function has one wrapper: with streaming = true, set tracing_mode = \"sdk\", \"udp\" or \"off\", or set streaming = false."
  }
}

variable "stream_timeout_seconds" {
  type        = number
  description = "Seconds that a streamed answer may take: the limit of the function, of the gateway's integration and of the calls that it makes."
  default     = 120

  validation {
    condition     = var.stream_timeout_seconds >= 30 && var.stream_timeout_seconds <= 900 && floor(var.stream_timeout_seconds) == var.stream_timeout_seconds
    error_message = "Write stream_timeout_seconds as a whole number of seconds between 30 and 900."
  }
}

variable "adot_layer_arn" {
  type        = string
  description = "ARN of the layer to use instead of the one that tracing_mode, region and architecture select."
  default     = null

  validation {
    condition     = var.adot_layer_arn == null || can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", var.adot_layer_arn))
    error_message = "Write adot_layer_arn with its account and version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION."
  }
}

variable "trace_sample_percent" {
  type        = number
  description = "Percentage of requests that are traced, in addition to the first request of each second."
  default     = 5

  validation {
    condition     = var.trace_sample_percent >= 0 && var.trace_sample_percent <= 100
    error_message = "Write trace_sample_percent as a number between 0 and 100."
  }
}

variable "alarm_emails" {
  type        = set(string)
  description = "Email addresses that receive the alarms. Each recipient has to confirm the subscription once."
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", address))])
    error_message = "Write alarm_emails as email addresses, such as [\"oncall@example.com\"]."
  }

  validation {
    condition     = var.environment != "prod" || length(var.alarm_emails) > 0
    error_message = "Name at least one address in alarm_emails for prod, so that its alarms reach somebody."
  }
}

variable "monthly_budget_usd" {
  type        = number
  description = "Monthly budget of the account in US dollars. alarm_emails are notified at 80 % of it, and when the forecast exceeds it; null sets no budget."
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null || try(var.monthly_budget_usd > 0, false)
    error_message = "Write monthly_budget_usd as a number of dollars above 0, or leave it null."
  }
}

# --- Models and stores ---------------------------------------------------------------------------------------------

variable "bedrock_model_id" {
  type        = string
  description = "Id of the Bedrock model that creates embeddings."
  default     = "amazon.titan-embed-text-v2:0"

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[A-Za-z0-9:._-]+$", var.bedrock_model_id))
    error_message = "Write bedrock_model_id as Bedrock lists it, such as \"amazon.titan-embed-text-v2:0\"."
  }
}

variable "embedding_dimensions" {
  type        = number
  description = "Number of dimensions of an embedding. An existing index cannot be changed to another number."
  default     = 1024

  validation {
    condition     = contains([256, 512, 1024], var.embedding_dimensions)
    error_message = "Write embedding_dimensions as 256, 512 or 1024."
  }
}

variable "chat_model_id" {
  type        = string
  description = "Bedrock model that answers questions: the id of an inference profile (\"us.anthropic.…\", \"global.…\") or of a foundation model. The default is Claude Sonnet 5.5, available since 2026-09-28 with no announced end of life. Anthropic retires its predecessor, Sonnet 4.5, on 2026-11-30."
  default     = "us.anthropic.claude-sonnet-5-5"

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[A-Za-z0-9:._-]+$", var.chat_model_id))
    error_message = "Write chat_model_id as Bedrock lists it, such as \"us.anthropic.claude-sonnet-5-5\"."
  }
}

variable "chat_max_output_tokens" {
  type        = number
  description = "Most tokens that the chat model may write for one answer. A model's thinking counts too; an answer that is cut off is marked as incomplete."
  default     = 4096

  validation {
    condition     = var.chat_max_output_tokens >= 1 && var.chat_max_output_tokens <= 128000 && floor(var.chat_max_output_tokens) == var.chat_max_output_tokens
    error_message = "Write chat_max_output_tokens as a whole number between 1 and 128000."
  }
}

variable "chat_min_relevance" {
  type        = number
  description = "Cosine similarity below which a passage does not count as relevant; null uses the value that is calibrated for the embedding model."
  default     = null

  validation {
    condition     = var.chat_min_relevance == null || try(var.chat_min_relevance >= -1 && var.chat_min_relevance <= 1, false)
    error_message = "Write chat_min_relevance as a number between -1 and 1, or leave it null."
  }
}

variable "chat_citations" {
  type        = string
  description = "How a model names its sources: `prompt` (ids of passages in its text, every model) or `native` (also Bedrock's own citations, where the model has them)."
  default     = "prompt"

  validation {
    condition     = contains(["prompt", "native"], var.chat_citations)
    error_message = "Write chat_citations as \"prompt\" or \"native\"."
  }
}

variable "chat_model_fields" {
  type        = string
  description = "Parameters of the chat model alone, as a JSON object, such as `{\"output_config\": {\"effort\": \"low\"}}` for less thinking. A field that the model refuses is left out."
  default     = null

  validation {
    condition     = var.chat_model_fields == null || can(keys(jsondecode(var.chat_model_fields)))
    error_message = "Write chat_model_fields as a JSON object, or leave it null."
  }
}

variable "chat_model_regions" {
  type        = set(string)
  description = "Regions that the inference profile of chat_model_id may route a request to; null uses the regions that locals.tf lists for its prefix."
  default     = null

  validation {
    condition     = var.chat_model_regions == null || try(length(var.chat_model_regions) > 0, false)
    error_message = "Name at least one region in chat_model_regions (`aws bedrock get-inference-profile` lists them), or leave it null."
  }
}

variable "chat_guardrail" {
  type = object({
    id      = string
    version = string
  })
  description = "A guardrail of Bedrock that judges questions and answers beside the policy: its id and version. Where it does not answer, no answer is given. null asks none."
  default     = null

  validation {
    condition = var.chat_guardrail == null || try(
      can(regex("^[a-z0-9]+$", var.chat_guardrail.id)) && can(regex("^([1-9][0-9]{0,7}|DRAFT)$", var.chat_guardrail.version)), false
    )
    error_message = "Write chat_guardrail with the id of a guardrail of this account and region and a version, such as {id = \"gr1abc2def\", version = \"3\"}, or leave it null."
  }
}

variable "chat_support_country" {
  type        = string
  description = "Country of the help lines that people in distress and victims of fraud are given, such as US; null names help without a number."
  default     = null

  validation {
    condition     = var.chat_support_country == null || can(regex("^[A-Z]{2}$", var.chat_support_country))
    error_message = "Write chat_support_country as two capital letters, such as US, or leave it null."
  }
}

variable "chat_policy_path" {
  type        = string
  description = "Path of a policy file within chat's package, such as chat/boundary/acme.json; null uses the built-in policy."
  default     = null

  validation {
    condition     = var.chat_policy_path == null || can(regex("^[A-Za-z0-9_./-]+[.]json$", var.chat_policy_path))
    error_message = "Write chat_policy_path as the path of a .json file, such as chat/boundary/acme.json, or leave it null."
  }
}

variable "vector_backend" {
  type        = string
  description = "Where vectors are stored: `s3` (the project's own bucket, searched in memory) or `s3vectors` (Amazon S3 Vectors)."
  default     = "s3"

  validation {
    condition     = contains(["s3", "s3vectors"], var.vector_backend)
    error_message = "Write vector_backend as \"s3\" or \"s3vectors\"."
  }
}

variable "search_mode" {
  type        = string
  description = "How passages are found: `hybrid` (by meaning and words) or `dense` (by meaning only); null is the service's own default, hybrid."
  default     = null

  validation {
    condition     = var.search_mode == null || try(contains(["dense", "hybrid"], var.search_mode), false)
    error_message = "Write search_mode as \"dense\" or \"hybrid\", or leave it null."
  }
}

variable "max_store_mib" {
  type        = number
  description = "The most MiB of vectors and texts in the `s3` store, all of which s3vector keeps in memory."
  default     = 192

  validation {
    condition     = var.max_store_mib >= 1 && floor(var.max_store_mib) == var.max_store_mib
    error_message = "Write max_store_mib as a whole number of at least 1."
  }

  validation {
    condition     = var.vector_backend == "s3vectors" || var.max_store_mib <= 7200
    error_message = "A function has at most 10,240 MB of memory, which is enough for a max_store_mib of 7200. Set vector_backend = \"s3vectors\" for a larger store (docs/scaling.md)."
  }
}

variable "s3vector_memory_mb" {
  type        = number
  description = "Memory of s3vector in MB. null: as in services.json."
  default     = null

  validation {
    condition     = var.s3vector_memory_mb == null || try(var.s3vector_memory_mb >= 128 && var.s3vector_memory_mb <= 10240 && floor(var.s3vector_memory_mb) == var.s3vector_memory_mb, false)
    error_message = "Write s3vector_memory_mb as a whole number from 128 to 10240."
  }

  validation {
    condition     = var.vector_backend == "s3vectors" || coalesce(var.s3vector_memory_mb, local.declared.s3vector.memory_mb) >= local.s3vector_needed_mb
    error_message = "Set s3vector_memory_mb to at least ${local.s3vector_needed_mb}, which a max_store_mib of ${var.max_store_mib} needs (docs/scaling.md)."
  }
}

variable "erasure_days" {
  type        = number
  description = "Days after which a deleted or replaced document is gone from all versions of all objects. `restore` reaches back 3 days less."
  default     = 30

  validation {
    condition     = var.erasure_days >= 4 && var.erasure_days <= 3650 && floor(var.erasure_days) == var.erasure_days
    error_message = "Write erasure_days as a whole number from 4 to 3650: erasing takes up to 3 days, and old versions are kept for the rest."
  }
}

variable "conversation_days" {
  type        = number
  description = "Days after which a conversation without a new turn is deleted."
  default     = 30

  validation {
    condition     = var.conversation_days >= 1 && var.conversation_days <= 3650 && floor(var.conversation_days) == var.conversation_days
    error_message = "Write conversation_days as a whole number from 1 to 3650."
  }
}

variable "record_retention" {
  type = object({
    mode = string
    days = number
  })
  description = "How long Object Lock keeps each record of an answer: mode `GOVERNANCE` (a role with s3:BypassGovernanceRetention may shorten it) or `COMPLIANCE` (nobody may, nor close the account before), and days. null locks nothing."
  default     = null

  validation {
    condition     = var.record_retention == null || try(contains(["GOVERNANCE", "COMPLIANCE"], var.record_retention.mode), false)
    error_message = "Write record_retention.mode as \"GOVERNANCE\" or \"COMPLIANCE\"."
  }

  validation {
    condition     = var.record_retention == null || try(var.record_retention.days >= 1 && var.record_retention.days <= 36500 && floor(var.record_retention.days) == var.record_retention.days, false)
    error_message = "Write record_retention.days as a whole number from 1 to 36500."
  }

  validation {
    condition     = !var.force_destroy || var.record_retention == null
    error_message = "Leave record_retention null with force_destroy: a bucket with locked records cannot be destroyed."
  }
}

variable "records_required" {
  type        = bool
  description = "Whether chat withholds an answer (503) whose record cannot be written. If not, it answers, logs answer_not_recorded and counts RecordsFailed."
  default     = false
}

variable "force_destroy" {
  type        = bool
  description = "Whether `terraform destroy` may delete buckets that still contain objects, and the table of conversations."
  default     = false

  validation {
    condition     = !var.force_destroy || !contains(["test", "prod"], var.environment)
    error_message = "Leave force_destroy false in test and prod: it lets Terraform delete documents together with their bucket."
  }
}

# --- Optional ------------------------------------------------------------------------------------------------------

variable "throttle" {
  type = object({
    rate_limit  = number
    burst_limit = number
  })
  description = "Limits of the stage for all callers together: requests per second, and requests in one burst."
  default     = { rate_limit = 100, burst_limit = 200 }

  validation {
    condition     = var.throttle.rate_limit > 0 && var.throttle.burst_limit >= 1
    error_message = "Write throttle with a rate_limit above 0 and a burst_limit of at least 1."
  }
}

variable "operation_throttles" {
  type = map(object({
    rate_limit  = number
    burst_limit = number
  }))
  description = "Limits of single operations in place of throttle, by their names in docs/openapi.json, such as `ask`; an operation that streams has them for its stream too."
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.operation_throttles), keys(local.named.operations))) == 0
    error_message = "No operation is named ${join(", ", setsubtract(keys(var.operation_throttles), keys(local.named.operations)))}: write names from docs/openapi.json in operation_throttles."
  }

  validation {
    condition     = alltrue([for one in values(var.operation_throttles) : one.rate_limit > 0 && one.burst_limit >= 1])
    error_message = "Write each entry of operation_throttles with a rate_limit above 0 and a burst_limit of at least 1."
  }
}

variable "canary_percent" {
  type        = number
  description = "Share of the requests, in percent, that the new version of a function gets before it is promoted; 0 promotes it at once."
  default     = 0

  validation {
    condition     = var.canary_percent >= 0 && var.canary_percent <= 50 && floor(var.canary_percent) == var.canary_percent
    error_message = "Write canary_percent as a whole number from 0 to 50."
  }
}

variable "canary_minutes" {
  type        = number
  description = "How long the new version gets that share. The pipeline's job ends after 55 minutes, and a deploy needs some of them."
  default     = 10

  validation {
    condition     = var.canary_minutes >= 1 && var.canary_minutes <= 20
    error_message = "Write canary_minutes as a number from 1 to 20."
  }
}

variable "reserved_concurrency" {
  type        = map(number)
  description = "Concurrent executions reserved for a service, by its name. Leave it empty while the account has a new account's limit of 10."
  default     = {}

  validation {
    condition = alltrue([
      for service, limit in var.reserved_concurrency :
      contains(keys(local.declared), service) && limit >= 0
    ])
    error_message = "Write reserved_concurrency as a service's name and a number of at least 0, such as {s3vector = 20}; the services are ${join(", ", keys(local.declared))}."
  }
}

variable "vpc_config" {
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  description = "Private subnets and security groups for the services. They need a NAT gateway, because the services call each other through a REGIONAL API, which no VPC endpoint serves; endpoints may serve S3, DynamoDB, Secrets Manager, Bedrock and X-Ray beside it (docs/cost.md). null runs the services outside of a VPC."
  default     = null

  validation {
    condition     = var.vpc_config == null || try(length(var.vpc_config.subnet_ids) > 0 && length(var.vpc_config.security_group_ids) > 0, false)
    error_message = "Write vpc_config with at least one of subnet_ids and one of security_group_ids, or leave it null."
  }
}

variable "domain_name" {
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  description = "Custom domain of the gateway, its ACM certificate in this region, and optionally the Route 53 zone for its DNS record."
  default     = null

  validation {
    condition     = var.domain_name == null || can(regex("^arn:aws[a-z-]*:acm:", var.domain_name.certificate_arn))
    error_message = "Write domain_name.certificate_arn as the ARN of an ACM certificate in this region."
  }
}

variable "waf_acl_arn" {
  type        = string
  description = "ARN of the regional WAF web ACL to attach to the stage; null attaches none."
  default     = null

  validation {
    condition     = var.waf_acl_arn == null || can(regex("^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/", var.waf_acl_arn))
    error_message = "Write waf_acl_arn as the ARN of a regional web ACL (arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/…)."
  }
}

variable "cors_origins" {
  type        = list(string)
  description = "Origins of the web pages that may call the gateway (CORS); empty allows none."
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^(https://[a-z0-9.-]+(:[0-9]+)?|http://localhost(:[0-9]+)?)$", origin))])
    error_message = "Write cors_origins as scheme and host without a path, such as [\"https://app.example.com\"]; http is for localhost only."
  }
}

variable "authorizer" {
  type = object({
    type           = string
    user_pool_arns = optional(list(string), [])
    function_arn   = optional(string)
    tenant_claim   = optional(string)
  })
  description = "How end users of /api are authenticated: `cognito` with the ID tokens of user pools, or `jwt` with a Lambda function of yours that checks the token (a REST API has no built-in JWT authorizer). `tenant_claim` is the claim with the user's tenant, which users must not be able to write; null means one tenant. null requires no user token."
  default     = null

  validation {
    condition     = var.authorizer == null || try(contains(["cognito", "jwt"], var.authorizer.type), false)
    error_message = "Write authorizer.type as \"cognito\" or \"jwt\"."
  }

  validation {
    condition     = try(var.authorizer.type, null) != "cognito" || try(length(var.authorizer.user_pool_arns) > 0, false)
    error_message = "Name at least one user pool in authorizer.user_pool_arns."
  }

  validation {
    condition     = try(var.authorizer.type, null) != "jwt" || can(regex("^arn:aws[a-z-]*:lambda:", var.authorizer.function_arn))
    error_message = "Write authorizer.function_arn as the ARN of the function that checks the token."
  }

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_:.-]{0,63}$", coalesce(try(var.authorizer.tenant_claim, null), "none")))
    error_message = "Write authorizer.tenant_claim as the name of a claim, such as \"custom:tenant\"."
  }

  validation {
    condition     = var.authorizer == null || var.enable_service_api_keys
    error_message = "authorizer needs enable_service_api_keys = true: without keys, everybody can call the services behind /api without a token."
  }
}

variable "release" {
  type        = string
  description = "Release that is deployed, as a tag or a commit; null is the release that was applied last, or \"dev\". The functions report it in /api/status and in spans. The pipeline sets it."
  default     = null

  validation {
    condition     = var.release == null || can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", var.release))
    error_message = "Write release as a tag or a commit of at most 64 characters, such as \"v1.2.0\"."
  }
}
