"""Checks the structure of the Python code: circles of imports, direction between rooms, layout."""
