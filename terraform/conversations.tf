# The table in which chat keeps conversations: an item for each turn, and one that counts them.

locals {
  conversations_table_name = "${local.prefix}-conversations"
  conversations_table_arn  = "arn:${local.partition}:dynamodb:${var.aws_region}:${local.account_id}:table/${local.conversations_table_name}"
}

resource "aws_dynamodb_table" "conversations" {
  name         = local.conversations_table_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  # No other data can rebuild a conversation. Only dev, which may be destroyed at any time, deletes its table freely.
  deletion_protection_enabled = !var.force_destroy

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  # chat sets it to conversation_days after the last turn.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.environment == "prod"
  }
}
