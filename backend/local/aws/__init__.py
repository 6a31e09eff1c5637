"""The embedded AWS: a moto server, and stand-ins for the APIs that moto lacks."""
