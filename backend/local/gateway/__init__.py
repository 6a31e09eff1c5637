"""API Gateway's REST semantics over HTTP: keys, quotas, throttles, routing, integrations."""
