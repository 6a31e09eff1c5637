"""THIRD_PARTY.md: the third-party packages in what is shipped, with their licences and notices."""
