"""Clients of AWS's APIs: time-outs, retries, the service's own API key."""
