"""Finds what is left of a deleted document in the buckets, and says when it goes."""
