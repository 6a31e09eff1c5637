"""The demonstration that `--demo` runs: sample documents, one question, its answer and trace."""
