"""A typed client of the API, for programs in Python."""

from client.api import models
from client.client import Client
from client.events import Event

__all__ = ["Client", "Event", "models"]
