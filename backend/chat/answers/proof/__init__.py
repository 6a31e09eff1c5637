"""The tests that a sentence or table row must pass before it counts as proof of a claim."""
