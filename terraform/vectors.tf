# The vector store and the bucket of the runner's jobs. Both contain documents, so both have the same settings.

locals {
  vector_bucket_name = "${local.prefix}-vectors-${local.account_id}-${var.aws_region}"
  jobs_bucket_name   = "${local.prefix}-jobs-${local.account_id}-${var.aws_region}"

  # Built from names, so that policies do not depend on the CloudFormation stack below.
  vector_index_name    = "documents"
  s3vectors_bucket_arn = "arn:${local.partition}:s3vectors:${var.aws_region}:${local.account_id}:bucket/${local.vector_bucket_name}"

  buckets = merge(
    { jobs = local.jobs_bucket_name },
    var.vector_backend == "s3" ? { vectors = local.vector_bucket_name } : {},
  )

  # Up to 25 hours until s3vector rewrites a segment, up to a day until S3's midnight, and a day for S3 to delete.
  noncurrent_days = var.erasure_days - 3

  # What expires by its age alone, by bucket: days by prefix. An offer waits for seconds. A job's state is written at each
  # step, so these have ended. jobs/parts/ stays: a later version of a document needs it.
  expiring = {
    vectors = { "documents/pending/" = 1 }
    jobs    = { for kind in ["state", "items", "open"] : "jobs/${kind}/" => var.erasure_days }
  }
}

resource "aws_s3_bucket" "main" {
  for_each = local.buckets

  bucket        = each.value
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "main" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.main[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.main[each.key].arn, "${aws_s3_bucket.main[each.key].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # Both change the bucket's access settings, and S3 rejects the second of two concurrent changes.
  depends_on = [aws_s3_bucket_public_access_block.main]
}

resource "aws_s3_bucket_lifecycle_configuration" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    # build-support/deploy:restore reaches back as far as this (docs/restore.md). Every change rewrites the manifest: without
    # this rule, its old versions would take more space than the vectors. With newer_noncurrent_versions, S3 would never delete
    # the versions of a key that is written once, so a deleted document would stay.
    noncurrent_version_expiration {
      noncurrent_days = local.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # What clients uploaded is stored as passages once its ingestion has ended.
  dynamic "rule" {
    for_each = each.key == "jobs" ? ["incoming/"] : []

    content {
      id     = "ended-uploads"
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      expiration {
        days = 7
      }

      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  dynamic "rule" {
    for_each = local.expiring[each.key]

    content {
      id     = trimsuffix(replace(rule.key, "/", "-"), "-")
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }

  # S3 rejects rules about versions in a bucket without versioning.
  depends_on = [aws_s3_bucket_versioning.main]
}

# Pages of these origins put files to presigned URLs.
resource "aws_s3_bucket_cors_configuration" "jobs" {
  count = length(var.cors_origins) == 0 ? 0 : 1

  bucket = aws_s3_bucket.main["jobs"].id

  cors_rule {
    allowed_origins = var.cors_origins
    allowed_methods = ["PUT"]
    allowed_headers = ["content-type", "x-amz-checksum-sha256"]
    max_age_seconds = 3600
  }
}

# Provider 5.100 has no resources for S3 Vectors; CloudFormation has.
resource "aws_cloudformation_stack" "s3vectors" {
  count = var.vector_backend == "s3vectors" ? 1 : 0

  name = "${local.prefix}-s3vectors"

  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "Vector bucket and index of ${local.prefix}"
    Resources = {
      Bucket = {
        Type           = "AWS::S3Vectors::VectorBucket"
        DeletionPolicy = var.force_destroy ? "Delete" : "Retain"
        Properties = {
          VectorBucketName        = local.vector_bucket_name
          EncryptionConfiguration = { SseType = "AES256" }
        }
      }
      Index = {
        Type           = "AWS::S3Vectors::Index"
        DependsOn      = "Bucket"
        DeletionPolicy = var.force_destroy ? "Delete" : "Retain"
        Properties = {
          VectorBucketName = local.vector_bucket_name
          IndexName        = local.vector_index_name
          DataType         = "float32"
          Dimension        = var.embedding_dimensions
          DistanceMetric   = "cosine"
          # A passage is returned and never filtered on, and filterable metadata is limited to 2 KB.
          MetadataConfiguration = { NonFilterableMetadataKeys = ["_passage"] }
        }
      }
    }
  })
}
