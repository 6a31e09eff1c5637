"""Completions whose units are labelled or whose errors are known, to measure the checker with."""
