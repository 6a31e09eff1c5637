"""The front door: passes questions, documents and ingestions to the services behind it."""
