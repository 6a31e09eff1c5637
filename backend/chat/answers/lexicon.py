"""Word lists, written in a module as one string."""


def word_list(text: str) -> list[str]:
    """Return the words of a text that white space separates."""
    return text.split()
