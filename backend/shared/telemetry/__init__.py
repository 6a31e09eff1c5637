"""Spans and metrics: how they are made, continued across services, and exported."""
