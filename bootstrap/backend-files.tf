# Writes the environments' backend files, because only this layer knows the bucket's name. A shell command writes them, so
# that no second provider is needed.

locals {
  backend_files = var.backend_files_dir == null ? {} : {
    for environment in local.environments : "${var.backend_files_dir}/${environment}.s3.tfbackend" => <<-EOT
      # Written by bootstrap/.
      bucket       = "${local.state_bucket}"
      key          = "${environment}/terraform.tfstate"
      region       = "${var.aws_region}"
      encrypt      = true
      use_lockfile = true
    EOT
  }

  # This layer's own state: one for each account, in the account's bucket. backend.tf is the same for all of them.
  own_backend = !var.write_own_backend ? {} : {
    "backend.tf"                                = "# Written by this layer's first apply.\nterraform {\n  backend \"s3\" {}\n}\n"
    "accounts/${var.account_name}.s3.tfbackend" = <<-EOT
      # Written by bootstrap/.
      bucket       = "${local.state_bucket}"
      key          = "bootstrap/terraform.tfstate"
      region       = "${var.aws_region}"
      encrypt      = true
      use_lockfile = true
    EOT
  }
}

resource "terraform_data" "backend_file" {
  for_each = merge(local.backend_files, local.own_backend)

  # The id is known only once the bucket exists, so no file is written for a bucket that could not be created.
  triggers_replace = [aws_s3_bucket.state.id, each.value]

  provisioner "local-exec" {
    command     = "mkdir -p \"$(dirname \"$FILE\")\" && printf '%s' \"$CONTENT\" > \"$FILE\""
    working_dir = path.module

    environment = {
      CONTENT = each.value
      FILE    = each.key
    }
  }
}
