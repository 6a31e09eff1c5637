"""A typed client of the API, for programs in Python."""
