"""Clients of AWS's APIs, with timeouts and retries, and the service's own API key."""
