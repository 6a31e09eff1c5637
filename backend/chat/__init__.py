"""Answers questions from retrieved passages, with citations."""
