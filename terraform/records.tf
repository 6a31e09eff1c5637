# The records of answers: a bucket whose objects are written once, the table of the keys that encrypt their texts, and
# the function that seals the records each hour. docs/records.md describes them, docs/runbook.md how to delete the bucket.

locals {
  records_bucket_name    = "${local.prefix}-records-${local.account_id}-${var.aws_region}"
  records_bucket_arn     = "arn:${local.partition}:s3:::${local.records_bucket_name}"
  record_keys_table_name = "${local.prefix}-record-keys"
  record_keys_table_arn  = "arn:${local.partition}:dynamodb:${var.aws_region}:${local.account_id}:table/${local.record_keys_table_name}"
}

resource "aws_s3_bucket" "records" {
  #checkov:skip=CKV2_AWS_61:Records are kept until an operator deletes them; uploads in parts are refused below.
  bucket        = local.records_bucket_name
  force_destroy = var.force_destroy

  # Locks nothing by itself, but lets a retention be set later without replacing the bucket.
  object_lock_enabled = true
}

resource "aws_s3_bucket_object_lock_configuration" "records" {
  count = var.record_retention == null ? 0 : 1

  bucket = aws_s3_bucket.records.id

  rule {
    default_retention {
      mode = var.record_retention.mode
      days = var.record_retention.days
    }
  }

  depends_on = [aws_s3_bucket_versioning.records]
}

resource "aws_s3_bucket_versioning" "records" {
  bucket = aws_s3_bucket.records.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "records" {
  bucket = aws_s3_bucket.records.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "records" {
  bucket                  = aws_s3_bucket.records.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "records" {
  bucket = aws_s3_bucket.records.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "records" {
  bucket = aws_s3_bucket.records.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.records_bucket_arn, "${local.records_bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # A write has to carry If-None-Match, so nobody can overwrite a record with a second version.
        Sid       = "WriteOnce"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${local.records_bucket_arn}/*"
        Condition = { Null = { "s3:if-none-match" = "true" } }
      },
    ]
  })

  # Both change the bucket's access settings, and S3 rejects the second of two concurrent changes.
  depends_on = [aws_s3_bucket_public_access_block.records]
}

# Outside the bucket, so that a key can be deleted while the record that it decrypts is locked.
resource "aws_dynamodb_table" "record_keys" {
  name         = local.record_keys_table_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  # Without the keys no record can be read.
  deletion_protection_enabled = !var.force_destroy

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.environment == "prod"
  }
}

# --- Permissions of chat -------------------------------------------------------------------------------------------

resource "aws_iam_policy" "lambda_chat_records" {
  name        = "${local.prefix}-lambda-chat-records"
  path        = local.policy_path
  description = "chat writes records and reads the keys of their texts"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteRecords"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = "${local.records_bucket_arn}/records/*"
      },
      {
        Sid      = "ReadAndCreateKeys"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
        Resource = local.record_keys_table_arn
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_chat_records" {
  role       = module.chat.role_name
  policy_arn = aws_iam_policy.lambda_chat_records.arn
}

# --- The hourly seals ----------------------------------------------------------------------------------------------

module "records" {
  source = "./modules/lambda-service"

  name                 = "${local.prefix}-records"
  role_name            = "${local.prefix}-lambda-records"
  package              = "${var.package_dir}/records.zip"
  memory_mb            = 512
  timeout_seconds      = 300
  reserved_concurrency = lookup(var.reserved_concurrency, "records", null)
  live_version         = lookup(local.live_versions, "records", null)

  # No tracing: the function runs once an hour and serves no request.
  settings = merge(local.lambda_settings, { layers = [], xray = false })

  environment = merge(local.common_environment, {
    SERVICE_NAME   = "records"
    RECORDS_BUCKET = local.records_bucket_name
  })
}

resource "aws_iam_policy" "lambda_records_seals" {
  name        = "${local.prefix}-lambda-records-seals"
  path        = local.policy_path
  description = "records reads records and writes seals"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ListVersions"
        Effect   = "Allow"
        Action   = ["s3:ListBucketVersions"]
        Resource = local.records_bucket_arn
      },
      {
        # The texts stay encrypted: the function has no access to the table of keys.
        Sid      = "ReadVersions"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersion"]
        Resource = "${local.records_bucket_arn}/*"
      },
      {
        Sid      = "WriteSeals"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = "${local.records_bucket_arn}/seals/*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_records_seals" {
  role       = module.records.role_name
  policy_arn = aws_iam_policy.lambda_records_seals.arn
}

resource "aws_scheduler_schedule" "seal_records" {
  name                = "${local.prefix}-seal-records"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = "Seal the records of answers"
  schedule_expression = "rate(1 hour)"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = module.records.alias_arn
    role_arn = data.aws_iam_role.scheduler.arn
    input    = jsonencode({ task = "seal-records" })

    # The next run seals the records that a failed run did not.
    retry_policy {
      maximum_retry_attempts       = 1
      maximum_event_age_in_seconds = 600
    }
  }

  depends_on = [aws_iam_role_policy_attachment.scheduler]
}
