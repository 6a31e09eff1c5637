"""A typed client of the API, and the command-line program `advisor`."""

from client.api import models
from client.client import Client
from client.events import Event

__all__ = ["Client", "Event", "models"]
