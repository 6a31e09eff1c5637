"""The embedded AWS: a moto server, with local implementations of the APIs that moto lacks."""
