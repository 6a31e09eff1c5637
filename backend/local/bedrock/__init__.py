"""A stand-in for Amazon Bedrock: embeddings and answers without a model."""
