# Settings that differ between functions or between environments. Everything else is fixed in main.tf.

variable "name" {
  type        = string
  description = "Name of the function, as {project}-{environment}-{service}."

  validation {
    condition     = can(regex("^[a-z0-9-]{1,64}$", var.name))
    error_message = "Write the function's name in lower-case letters, digits and hyphens, 64 at most."
  }
}

variable "role_name" {
  type        = string
  description = "Name of the execution role, which bootstrap/ creates."
}

variable "package" {
  type        = string
  description = "Path of the zip that `./pants package ::` wrote."

  validation {
    condition     = fileexists(var.package)
    error_message = "There is no package at ${var.package}: run `./pants package ::` first, or set package_dir to the folder with the zips."
  }
}

variable "environment" {
  type        = map(string)
  description = "Environment variables of the function."

  validation {
    # Lambda sets these itself and rejects a function that defines them. Emulators do not check this.
    condition = length(setintersection(keys(var.environment), [
      "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
      "AWS_LAMBDA_RUNTIME_API", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
      "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID",
    ])) == 0
    error_message = "Leave AWS_REGION and the other names that Lambda reserves out of the environment: Lambda sets them itself."
  }
}

variable "memory_mb" {
  type        = number
  description = "Memory of the function in MB. Lambda allots CPU in proportion."
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Write memory_mb as a number of megabytes between 128 and 10240."
  }
}

variable "timeout_seconds" {
  type        = number
  description = "Seconds after which Lambda ends an invocation."
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "Write timeout_seconds as a number of seconds between 1 and 900."
  }
}

variable "settings" {
  type = object({
    policy_path        = string
    architecture       = string
    layers             = list(string)
    xray               = bool
    log_retention_days = number
    vpc = optional(object({
      subnet_ids         = list(string)
      security_group_ids = list(string)
    }))
  })
  description = "Settings of all functions of an environment: path of their policies, architecture, layers, tracing, log retention, network."
}

variable "reserved_concurrency" {
  type        = number
  description = "Concurrent executions reserved for this function, which are also its limit; null uses the account's unreserved pool."
  default     = null
}

variable "live_version" {
  type        = string
  description = "Version that the `live` alias serves; null serves the newest one. Set an older version to roll back."
  default     = null

  validation {
    condition     = var.live_version == null || can(regex("^[1-9][0-9]*$", var.live_version))
    error_message = "Write live_version as the number of a published version, such as \"12\"."
  }
}
