"""Decides which questions get information, and which get a way to a person instead."""
