"""Adds services and endpoints to the repository, and gives the repository another name."""
