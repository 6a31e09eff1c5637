"""Answers as server-sent events, and their wire format."""
