"""Rotates the API keys of the gateway's usage plans."""
