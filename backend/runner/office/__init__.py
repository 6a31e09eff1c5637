"""Office documents: what is checked before they are parsed, and a reader of each kind."""
