"""Describes a service's API: its OpenAPI document, and headers that several services share."""
