"""Measures the product beside its peers."""
