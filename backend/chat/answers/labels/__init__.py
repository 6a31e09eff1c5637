"""Whether the figures of a claim have the labels that they have in the source."""
