"""The front door's contract: its published document, and the files that are made from it."""
