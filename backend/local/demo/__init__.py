"""The demonstration of `--demo`: sample documents, a question, and its trace on the terminal."""
