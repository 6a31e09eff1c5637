"""The command-line client: questions, searches, ingestions, the state of services, and traces."""
