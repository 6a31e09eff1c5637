"""The parts of an ingestion that `api` and `runner` share."""
