"""Runs the services as processes: Lambda environments, web services, logs, the scheduler."""
