"""Lists of words as they stand in the modules that use them."""


def word_list(text: str) -> list[str]:
    """Return the words of a text that lists them."""
    return text.split()
