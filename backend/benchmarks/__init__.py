"""Benchmarks of our code and of its peers (FastAPI with Mangum, and Powertools), in one run."""
