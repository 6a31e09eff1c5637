"""The bodies and operations of the API, generated from docs/openapi.json."""
