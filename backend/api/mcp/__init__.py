"""The Model Context Protocol at `POST /mcp`: tools for programs that use a language model."""
