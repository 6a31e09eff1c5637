"""Stores documents as vectors in S3 and finds passages."""
