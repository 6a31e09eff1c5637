"""Seals, verifies, replays and erases the records of answers."""
