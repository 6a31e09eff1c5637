"""Checks the Python code's structure: import cycles, import direction, and where files are."""
