"""Evaluates answers, retrieval and boundaries without an AWS account."""
