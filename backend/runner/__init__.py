"""Ingests documents in resumable slices."""
