"""Takes citation markers, in whatever form a model writes them, out of a completion."""
