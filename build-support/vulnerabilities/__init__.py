"""Asks whether the locked Python packages have known vulnerabilities."""
