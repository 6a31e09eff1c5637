"""Builds the page of the local estate's console."""
