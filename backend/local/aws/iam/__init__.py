"""IAM on one machine: what a call needs, and whether its role's policies allow it."""
