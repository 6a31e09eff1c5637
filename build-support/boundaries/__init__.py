"""Checks the Python code's structure: import circles, import direction, and where files are."""
