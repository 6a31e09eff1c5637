"""Reads a figure from the words, signs and units around its number."""
