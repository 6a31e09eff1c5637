# The services. services.json declares what each of them is; its own file, such as lambda-api.tf, has its module,
# environment and permissions.

locals {
  declared = { for name, service in jsondecode(file("${path.module}/../services.json")) : name => service if !startswith(name, "$") }

  # The scopes of the keys that belong to no service.
  declared_clients = jsondecode(file("${path.module}/../services.json"))["$clients"]

  # The services with a path on the gateway.
  services           = toset([for name, service in local.declared : name if service.route])
  declared_functions = toset([for name, service in local.declared : name if service.kind == "function"])

  # The functions that the gateway calls, each through its `live` alias. On App Runner, the runner is an HTTP back end.
  service_functions = merge(
    {
      api      = module.api
      chat     = module.chat
      s3vector = module.s3vector
    },
    { for runner in module.runner : "runner" => runner },
  )
  left_out = setsubtract(local.declared_functions, keys(local.service_functions))
}
