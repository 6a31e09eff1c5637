# s3vector: creates embeddings with Bedrock and stores them in the bucket or index of vectors.tf.

locals {
  s3vector_memory_mb = coalesce(var.s3vector_memory_mb, local.declared.s3vector.memory_mb)

  # The formula of docs/scaling.md: the process, a store that may be a quarter too large, and a merge.
  s3vector_merge_mib = 3 * min(32, max(8, var.max_store_mib / 16))
  s3vector_needed_mb = ceil(170 + 1.1 * 1.25 * var.max_store_mib + local.s3vector_merge_mib)
}

module "s3vector" {
  source = "./modules/lambda-service"

  name                 = "${local.prefix}-s3vector"
  role_name            = "${local.prefix}-lambda-s3vector"
  package              = "${var.package_dir}/s3vector.zip"
  settings             = local.lambda_settings
  memory_mb            = local.s3vector_memory_mb
  timeout_seconds      = local.declared.s3vector.timeout_s
  reserved_concurrency = lookup(var.reserved_concurrency, "s3vector", null)
  live_version         = lookup(local.live_versions, "s3vector", null)

  environment = merge(
    local.lambda_environment,
    local.access_environment["s3vector"],
    {
      SERVICE_NAME         = "s3vector"
      BEDROCK_MODEL_ID     = var.bedrock_model_id
      EMBEDDING_DIMENSIONS = tostring(var.embedding_dimensions)
      VECTOR_BACKEND       = var.vector_backend
      VECTOR_BUCKET_NAME   = local.vector_bucket_name
      MAX_STORE_BYTES      = tostring(var.max_store_mib * 1048576)
    },
    var.vector_backend == "s3vectors" ? { VECTOR_INDEX_NAME = local.vector_index_name } : {},
    var.search_mode == null ? {} : { SEARCH_MODE = var.search_mode },
  )
}

resource "aws_iam_policy" "lambda_s3vector_secrets" {
  name        = "${local.prefix}-lambda-s3vector-secrets"
  path        = local.policy_path
  description = "s3vector reads its own API key"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [local.read_key_ids, {
      Sid      = "ReadOwnKey"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.own_key_arns["s3vector"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_s3vector_secrets" {
  role       = module.s3vector.role_name
  policy_arn = aws_iam_policy.lambda_s3vector_secrets.arn
}

resource "aws_iam_policy" "lambda_s3vector_bedrock" {
  name        = "${local.prefix}-lambda-s3vector-bedrock"
  path        = local.policy_path
  description = "s3vector makes embeddings"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "MakeEmbeddings"
      Effect   = "Allow"
      Action   = ["bedrock:InvokeModel"]
      Resource = "arn:${local.partition}:bedrock:${var.aws_region}::foundation-model/${var.bedrock_model_id}"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_s3vector_bedrock" {
  role       = module.s3vector.role_name
  policy_arn = aws_iam_policy.lambda_s3vector_bedrock.arn
}

locals {
  s3_statements = [
    {
      Sid      = "KeepSegments"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      Resource = "arn:${local.partition}:s3:::${local.vector_bucket_name}/*"
    },
    {
      Sid    = "ListSegments"
      Effect = "Allow"
      # Without this permission, S3 answers 403 instead of 404 for a missing object.
      Action   = ["s3:ListBucket"]
      Resource = "arn:${local.partition}:s3:::${local.vector_bucket_name}"
    },
  ]

  s3vectors_statements = [{
    Sid    = "KeepVectors"
    Effect = "Allow"
    Action = [
      "s3vectors:DeleteVectors",
      "s3vectors:GetIndex",
      "s3vectors:GetVectors", # QueryVectors with a filter or metadata requires it.
      "s3vectors:ListVectors",
      "s3vectors:PutVectors",
      "s3vectors:QueryVectors",
    ]
    Resource = "${local.s3vectors_bucket_arn}/index/${local.vector_index_name}"
  }]
}

resource "aws_iam_policy" "lambda_s3vector_store" {
  name        = "${local.prefix}-lambda-s3vector-store"
  path        = local.policy_path
  description = "s3vector keeps its vectors"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = { s3 = local.s3_statements, s3vectors = local.s3vectors_statements }[var.vector_backend]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_s3vector_store" {
  role       = module.s3vector.role_name
  policy_arn = aws_iam_policy.lambda_s3vector_store.arn
}

# --- Erasure -------------------------------------------------------------------------------------------------------

# Nothing else rewrites a segment of which only a little was deleted, or runs while nobody stores anything.
resource "aws_scheduler_schedule" "erase_texts" {
  name                = "${local.prefix}-erase-texts"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = "Remove what is left of deleted documents"
  schedule_expression = "rate(1 hour)"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = module.s3vector.alias_arn
    role_arn = data.aws_iam_role.scheduler.arn
    input    = jsonencode({ task = "erase-texts" })

    # The next run, an hour later, is the retry.
    retry_policy {
      maximum_retry_attempts       = 0
      maximum_event_age_in_seconds = 600
    }
  }

  depends_on = [aws_iam_role_policy_attachment.scheduler]
}
