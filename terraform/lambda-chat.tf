# chat: retrieves passages from s3vector over the gateway, answers with a Bedrock model, and keeps conversations in the
# table of conversations.tf.

module "chat" {
  source = "./modules/lambda-service"

  name                 = "${local.prefix}-chat"
  role_name            = "${local.prefix}-lambda-chat"
  package              = "${var.package_dir}/chat.zip"
  settings             = local.lambda_settings
  memory_mb            = local.declared.chat.memory_mb
  timeout_seconds      = local.function_timeouts["chat"]
  reserved_concurrency = lookup(var.reserved_concurrency, "chat", null)
  live_version         = lookup(local.live_versions, "chat", null)

  environment = merge(local.lambda_environment, local.access_environment["chat"], local.stream_environment["chat"], {
    SERVICE_NAME           = "chat"
    CHAT_MODEL_ID          = var.chat_model_id
    CONVERSATIONS_TABLE    = local.conversations_table_name
    CONVERSATION_DAYS      = tostring(var.conversation_days)
    RECORDS_BUCKET         = local.records_bucket_name
    RECORD_KEYS_TABLE      = local.record_keys_table_name
    RECORDS_REQUIRED       = tostring(var.records_required)
    SERVICE_NAME           = "chat"
    CHAT_MODEL_ID          = var.chat_model_id
    CHAT_MAX_OUTPUT_TOKENS = tostring(var.chat_max_output_tokens)
    CHAT_CITATIONS         = var.chat_citations
    }, {
    for name, value in {
      CHAT_MODEL_FIELDS    = var.chat_model_fields
      RELEVANCE_THRESHOLD  = var.chat_min_relevance
      BOUNDARY_POLICY_PATH = var.chat_policy_path
      SUPPORT_COUNTRY      = var.chat_support_country
      GUARDRAIL_ID         = try(var.chat_guardrail.id, null)
      GUARDRAIL_VERSION    = try(var.chat_guardrail.version, null)
    } : name => tostring(value) if value != null
  })
}

resource "aws_iam_policy" "lambda_chat_secrets" {
  name        = "${local.prefix}-lambda-chat-secrets"
  path        = local.policy_path
  description = "chat reads its own API key"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [local.read_key_ids, {
      Sid      = "ReadOwnKey"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.own_key_arns["chat"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_chat_secrets" {
  role       = module.chat.role_name
  policy_arn = aws_iam_policy.lambda_chat_secrets.arn
}

resource "aws_iam_policy" "lambda_chat_bedrock" {
  name        = "${local.prefix}-lambda-chat-bedrock"
  path        = local.policy_path
  description = "chat asks its model"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid    = "AskTheModel"
      Effect = "Allow"
      # IAM authorises Converse as InvokeModel.
      Action   = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
      Resource = local.chat_model_arns
      }], var.chat_guardrail == null ? [] : [{
      Sid      = "ApplyTheGuardrail"
      Effect   = "Allow"
      Action   = ["bedrock:ApplyGuardrail"]
      Resource = ["arn:${local.partition}:bedrock:${var.aws_region}:${local.account_id}:guardrail/${var.chat_guardrail.id}"]
    }])
  })
}

resource "aws_iam_role_policy_attachment" "lambda_chat_bedrock" {
  role       = module.chat.role_name
  policy_arn = aws_iam_policy.lambda_chat_bedrock.arn
}

resource "aws_iam_policy" "lambda_chat_conversations" {
  name        = "${local.prefix}-lambda-chat-conversations"
  path        = local.policy_path
  description = "chat keeps its conversations"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "KeepConversations"
      Effect = "Allow"
      # A transaction needs the permissions of the writes in it, and no others.
      Action = [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ]
      Resource = local.conversations_table_arn
    }]
  })
}

resource "aws_iam_role_policy_attachment" "lambda_chat_conversations" {
  role       = module.chat.role_name
  policy_arn = aws_iam_policy.lambda_chat_conversations.arn
}
