"""The web page at the root of the estate."""
