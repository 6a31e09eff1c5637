"""Reads services.json, the one declaration of all services."""
