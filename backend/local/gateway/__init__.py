"""Serves a REST API as API Gateway does: routing, keys, quotas, throttles, integrations."""
