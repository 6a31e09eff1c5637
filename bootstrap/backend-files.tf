# Writes the environments' backend files, because only this layer knows the bucket's name. A shell command writes them, so
# that no second provider is needed.

locals {
  backend_files = var.backend_files_dir == null ? {} : {
    for environment in var.environments : "${var.backend_files_dir}/${environment}.s3.tfbackend" => <<-EOT
      # Written by bootstrap/.
      bucket       = "${local.state_bucket}"
      key          = "${environment}/terraform.tfstate"
      region       = "${var.aws_region}"
      encrypt      = true
      use_lockfile = true
    EOT
  }

  own_backend = <<-EOT
    # Written by this layer's first apply. Names the bucket of its own state.
    terraform {
      backend "s3" {
        bucket       = "${local.state_bucket}"
        key          = "bootstrap/terraform.tfstate"
        region       = "${var.aws_region}"
        encrypt      = true
        use_lockfile = true
      }
    }
  EOT
}

resource "terraform_data" "backend_file" {
  for_each = merge(local.backend_files, var.write_own_backend ? { "backend.tf" = local.own_backend } : {})

  # The id is known only once the bucket exists, so no file is written for a bucket that could not be created.
  triggers_replace = [aws_s3_bucket.state.id, each.value]

  provisioner "local-exec" {
    command     = "printf '%s' \"$CONTENT\" > \"$FILE\""
    working_dir = path.module

    environment = {
      CONTENT = each.value
      FILE    = each.key
    }
  }
}
