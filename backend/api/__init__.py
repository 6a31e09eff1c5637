"""The public service: forwards questions, documents and ingestions to the other services."""
