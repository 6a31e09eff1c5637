"""Receives spans over OTLP, keeps them, and serves them as JSON."""
