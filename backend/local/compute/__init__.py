"""The processes of the services: Lambda environments, web services, logs, the scheduler."""
