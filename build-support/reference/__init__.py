"""docs/reference: pages that are generated from the sources."""
