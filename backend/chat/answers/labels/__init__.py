"""Whether figures of a claim stand with the words that belong to them in the source."""
