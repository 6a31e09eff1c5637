"""Completions with labelled units or known errors, to measure the check of answers."""
